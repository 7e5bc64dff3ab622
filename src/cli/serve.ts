import { resolve } from 'node:path';
import { referenceAgents } from '../agents/index.ts';
import { telltale } from '../index.ts';
import { AUTH_FLAGS, AUTH_HELP, accessOf } from './auth.ts';
import { type Command, calledAs, EXIT, parse, usageError } from './command.ts';
import { DOORS_HELP, doorsOf } from './doors.ts';
import { onInterrupt } from './interrupt.ts';
import { loadAgents } from './load-agents.ts';
import { modelOf, receiver } from './model.ts';
import { plain } from './plain.ts';

export const serve: Command = {
  help: `telltale serve [module] [--port <n>] [--host <address>] [--data <folder>] [--workspace <folder>] [--rules]
                        [--concurrency <n>] [--timeout <s>] [--door <name>=<agent>] [--no-console]
                        [--jwks-url <url> --issuer <text> --audience <text>] [--keys <file>]

Serves agents over HTTP and keeps everything they do. Without a module it serves "analyst", which answers questions
about the files of a folder, and "rehearsal", which takes faults to show what they look like.

  module                an ES module whose default export is a record of agents, or whose exported functions are agents
  --port <n>            default 4747, or PORT; 0 takes any that is free
  --host <address>      default 127.0.0.1, or TELLTALE_HOST; others are refused as long as there is no authentication
  --data <folder>       where the log is kept (default ./.telltale); "memory:" forgets it at the end
  --workspace <folder>  what the analyst may read (default: this folder)
  --concurrency <n>     so many runs at once; more wait for their turn (default: as many as are started)
  --timeout <s>         seconds that a run may take; then it ends as failed (timed_out; default: as long as it takes)
  --no-console          without the page at /, on which runs are started and watched in a browser
  --rules               the analyst works by rules, no LLM, although the environment names a model
${DOORS_HELP}${AUTH_HELP}
The analyst's model is the one of the first variable that is set: ANTHROPIC_API_KEY (and ANTHROPIC_MODEL,
ANTHROPIC_BASE_URL), OPENAI_BASE_URL with OPENAI_MODEL (any OpenAI-compatible server), OPENAI_API_KEY (and
OPENAI_MODEL). What it reads is sent there. Without any of them it works by rules, and nothing leaves this machine.

Ctrl-C stops it: runs that are not finished end as failed (executor_lost), and nothing that was shown is lost.

Examples:
  telltale serve
  telltale serve agents.ts --port 8080 --data /var/lib/telltale
`,

  async run(args) {
    const { values, positionals } = parse(args, {
      port: { type: 'string', default: process.env.PORT || '4747' },
      host: { type: 'string', default: process.env.TELLTALE_HOST || '127.0.0.1' },
      data: { type: 'string', default: './.telltale' },
      workspace: { type: 'string' },
      rules: { type: 'boolean', default: false },
      concurrency: { type: 'string' },
      timeout: { type: 'string' },
      door: { type: 'string', multiple: true },
      'no-console': { type: 'boolean', default: false },
      ...ACCESS_OPTIONS,
    });
    const [module, ...more] = positionals;
    if (more.length > 0) throw usageError('Name one module at most.');
    const [forAnalyst] = values.workspace !== undefined ? ['--workspace'] : values.rules ? ['--rules'] : [];
    if (module !== undefined && forAnalyst !== undefined) {
      throw usageError(`${forAnalyst} is for the analyst, which is only served without a module.`);
    }
    const workspace = resolve(values.workspace ?? '.');
    const model = module === undefined && !values.rules ? modelOf(process.env) : ({ provider: 'rules' } as const);
    const agents = await (module === undefined ? referenceAgents({ workspace, model }) : ownAgents(module));
    const { concurrency, timeout } = values;
    const access = accessOf(values, process.env);
    const app = telltale({
      ...access,
      doors: doorsOf(
        values.door,
        process.env,
        agents.map(({ name }) => name),
        module === undefined ? 'analyst' : undefined,
      ),
      console: !values['no-console'],
      store: values.data === 'memory:' ? values.data : resolve(values.data),
      ...(concurrency !== undefined && { concurrency: numberOf('--concurrency', concurrency) }),
      ...(timeout !== undefined && { timeout: numberOf('--timeout', timeout) }),
    });
    for (const { name, fn, about } of agents) app.agent(name, fn, about);

    // A promise that an agent forgot to wait for is its own fault: Node would end the process, and every other run with it.
    process.on('unhandledRejection', (reason) => {
      const text = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
      process.stderr.write(`An agent left a promise that failed; the server goes on. ${plain(text)}\n`);
    });
    const stopped = new Promise<void>((resolve) => {
      onInterrupt((times, signal) => {
        if (times > 1) process.exit(signal === 'SIGINT' ? EXIT.interrupted : EXIT.terminated);
        process.stderr.write('Stopping.\n');
        resolve();
      });
    });
    try {
      const { url } = await app.listen(portOf(values.port), values.host);
      const { durability } = await app.log();
      const names = agents.map(({ name, about }) => (about.model === undefined ? name : `${name} · ${about.model}`));
      say(`Telltale listens on ${url}`);
      say(`  agents     ${names.join('\n             ')}`);
      if (module === undefined) say(`  workspace  ${workspace}`);
      const sent = receiver(model);
      if (sent !== undefined) say(`  sent       what the analyst reads goes to ${sent}; --rules keeps it here`);
      say(`  log        ${values.data === 'memory:' ? 'in memory' : resolve(values.data)} (${durability})`);
      if (access.auth) say(`  access     ${Object.keys(access.auth).join(', ')}: every request has to say who asks`);
      say('');
      if (!values['no-console']) say(`Open ${url}/ in a browser: start a run there, and watch it.\n`);
      say(hints(url, agents[0]?.name ?? ''));
      await stopped;
    } finally {
      await app.close();
    }
    // Everything is closed. Timers and sockets of an agent that ignores its signal would keep the process for ever.
    process.exit(EXIT.done);
  },
};

const ACCESS_OPTIONS = Object.fromEntries(Object.keys(AUTH_FLAGS).map((flag) => [flag, { type: 'string' }])) as {
  readonly [F in keyof typeof AUTH_FLAGS]: { readonly type: 'string' };
};

const ownAgents = async (module: string) =>
  (await loadAgents(module)).map(([name, fn]) => ({ name, fn, about: {} as { model?: string } }));

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port < 65_536) return port;
  throw usageError(`${text} is not a port: a number from 0 to 65535.`);
}

/** `telltale()` says which numbers make sense. */
function numberOf(option: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw usageError(`${option} takes a whole number, not ${text}.`);
}

const say = (line: string): boolean => process.stdout.write(`${plain(line)}\n`);

/** What can be typed next, as it can be typed. */
function hints(url: string, agent: string): string {
  const at = url.endsWith(':4747') ? '' : ` --url ${url}`;
  const input = agent === 'analyst' ? 'What are the risks in this project?' : 'hello';
  return `Watch a run in a second terminal:
  ${calledAs()} run ${agent} "${input}"${at}

Or with nothing but curl:
  curl -d '${JSON.stringify({ agent, input, runId: 'first' })}' -H 'content-type: application/json' ${url}/v1/runs
  curl -N ${url}/v1/runs/first/stream

Ctrl-C stops the server.`;
}
