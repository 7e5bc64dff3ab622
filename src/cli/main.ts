#!/usr/bin/env node
import { type ErrorCode, TelltaleError } from '../protocol/index.ts';
import { type Command, calledAs, EXIT, version } from './command.ts';
import { plain } from './plain.ts';

/** Each is loaded when it is called: watching a run needs no server and no store. */
const COMMANDS: Readonly<Record<string, { readonly summary: string; load(): Promise<Command> }>> = {
  serve: {
    summary: 'run a server with your agents, or with the reference agent',
    load: async () => (await import('./serve.ts')).serve,
  },
  run: { summary: 'start an agent and watch it to its end', load: async () => (await import('./run.ts')).run },
  emit: { summary: 'append events from standard input to a run', load: async () => (await import('./emit.ts')).emit },
  tail: { summary: 'watch a run, or a thread with all its runs', load: async () => (await import('./tail.ts')).tail },
  pause: { summary: 'hold a run at its next step', load: async () => (await import('./ask.ts')).pause },
  resume: { summary: 'let a paused run go on', load: async () => (await import('./ask.ts')).resume },
  cancel: { summary: 'stop a run', load: async () => (await import('./ask.ts')).cancel },
  approve: { summary: 'answer what a run asks: yes', load: async () => (await import('./answer.ts')).approve },
  deny: { summary: 'answer what a run asks: no', load: async () => (await import('./answer.ts')).deny },
  input: { summary: 'say something to a run', load: async () => (await import('./input.ts')).input },
  export: { summary: 'write a run to a file', load: async () => (await import('./export.ts')).exportRun },
  import: { summary: 'bring such a file into a log', load: async () => (await import('./import.ts')).importRun },
  key: { summary: 'make an API key for a producer', load: async () => (await import('./key.ts')).key },
};

const HELP = `telltale ${version()}: a durable log of every agent run, to watch live

${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  telltale ${name.padEnd(7)} ${summary}`)
  .join('\n')}

"telltale <command> --help" has the details and an example.

Begin with:
  telltale serve
  telltale run analyst "What are the risks in this project?"     (in a second terminal)
`;

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === '--help' || name === '-h') return print(HELP);
  if (name === '--version') return print(`${version()}\n`);
  const entry = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!entry) {
    process.stderr.write(name === undefined ? HELP : `telltale: there is no command ${plain(name)}.\n\n${HELP}`);
    return EXIT.usage;
  }
  const command = await entry.load();
  const words = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  if (words.includes('--help') || words.includes('-h')) return print(command.help);
  try {
    return await command.run(args);
  } catch (error) {
    return explain(error, name as string);
  }
}

function print(text: string): number {
  const called = new RegExp(`^(\\s*)telltale (?=${Object.keys(COMMANDS).join('|')}|<)`, 'gm');
  process.stdout.write(text.replaceAll(called, `$1${calledAs()} `));
  return EXIT.done;
}

/** What can be done about it here, where the message cannot know. */
const ADVICE: { readonly [C in ErrorCode]?: string } = {
  unreachable: `Start a server with "${calledAs()} serve", or say where one is with --url or TELLTALE_URL.`,
  cannot_listen: 'Choose another port with --port; --port 0 takes any that is free.',
  unauthorized: 'Set TELLTALE_TOKEN to an API key or a token of this server.',
  store_locked: 'Choose another folder with --data, or stop the other server.',
};

/** An error in plain words, with what to do about it; only one that nobody foresaw comes with its stack. */
function explain(error: unknown, command: string): number {
  if (!(error instanceof TelltaleError)) {
    const stack = error instanceof Error ? error.stack : String(error);
    process.stderr.write(`telltale: something went wrong inside.\n${plain(stack ?? '')}\n`);
    return EXIT.failed;
  }
  const isUsage = error.code === 'invalid_option';
  const advice = isUsage ? `"${calledAs()} ${command} --help" tells how it is used.` : ADVICE[error.code];
  process.stderr.write(`telltale: ${plain(error.message)}\n${advice === undefined ? '' : `${advice}\n`}`);
  return isUsage ? EXIT.usage : EXIT.failed;
}

// A reader that has seen enough, as in `telltale tail … | head`, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.done);
});

process.exitCode = await main(process.argv.slice(2));
