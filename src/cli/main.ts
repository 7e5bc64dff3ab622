#!/usr/bin/env node
import { TelltaleError } from '../protocol/index.ts';
import { type Command, calledAs, EXIT, version } from './command.ts';
import { plain } from './plain.ts';
import { run } from './run.ts';
import { serve } from './serve.ts';
import { tail } from './tail.ts';

const COMMANDS: readonly Command[] = [serve, run, tail];

const HELP = `telltale ${version()}: a durable log of every agent run, to watch live

${COMMANDS.map(({ name, summary }) => `  telltale ${name.padEnd(6)} ${summary}`).join('\n')}

"telltale <command> --help" has the details and an example.

Begin with:
  telltale serve
  telltale run analyst "What are the risks in this project?"     (in a second terminal)
`;

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === '--help' || name === '-h') return print(HELP);
  if (name === '--version') return print(`${version()}\n`);
  const command = COMMANDS.find((it) => it.name === name);
  if (!command) {
    process.stderr.write(name === undefined ? HELP : `telltale: there is no command ${plain(name)}.\n\n${HELP}`);
    return EXIT.usage;
  }
  const words = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  if (words.includes('--help') || words.includes('-h')) return print(command.help);
  try {
    return await command.run(args);
  } catch (error) {
    return explain(error, command);
  }
}

function print(text: string): number {
  process.stdout.write(text.replaceAll(/^(\s*)telltale (?=serve|run|tail|<)/gm, `$1${calledAs()} `));
  return EXIT.done;
}

/** An error in plain words, with what to do about it; only one that nobody foresaw comes with its stack. */
function explain(error: unknown, { name }: Command): number {
  const known = error instanceof TelltaleError;
  const text = known
    ? error.message
    : `something went wrong inside.\n${error instanceof Error ? error.stack : String(error)}`;
  process.stderr.write(`telltale: ${plain(text)}\n`);
  if (!known) return EXIT.failed;
  if (error.code === 'unreachable') {
    process.stderr.write(
      `Start a server with "${calledAs()} serve", or say where one is with --url or TELLTALE_URL.\n`,
    );
  }
  if (error.code !== 'invalid_option') return EXIT.failed;
  process.stderr.write(`"${calledAs()} ${name} --help" tells how it is used.\n`);
  return EXIT.usage;
}

// A reader that has seen enough, as in `telltale tail … | head`, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.done);
});

process.exitCode = await main(process.argv.slice(2));
