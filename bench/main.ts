import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { contenders } from './contenders/index.ts';
import { machine } from './machine.ts';
import { Load } from './measure/load.ts';
import { HELP, type Options, parseOptions, SCENARIOS } from './options.ts';
import { report } from './report.ts';
import type { Bench } from './scenarios/scenario.ts';

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(HELP);
  else await measure(options);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function measure(options: Options): Promise<void> {
  if (process.platform !== 'linux') throw new Error('The benchmark reads /proc and uses epoll: it needs Linux.');
  if (availableParallelism() < 2) throw new Error('The benchmark needs two cores: for the server, and for the load.');
  const chosen = choose(options.only);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const load = new Load();
  process.once('exit', () => load.remove());
  const bench: Bench = { ...options, load, contenders: chosen, say: (text) => console.error(text) };
  const facts = machine();
  const command = ['npm run bench', ...process.argv.slice(2)].join(' ').replace('bench ', 'bench -- ');
  const date = new Date().toISOString();
  console.log(`# ${command}, ${date.slice(0, 10)}\n\n${facts.map((it) => `- ${it}`).join('\n')}`);
  if (options.quick) console.log('\nA smoke test: these figures mean nothing.');
  const found: Record<string, object> = {};
  for (const name of options.scenarios) {
    const findings = await SCENARIOS[name]!(bench);
    console.log(report(findings));
    found[name] = findings.outcomes;
    const { missed = [] } = findings;
    if (missed.length > 0) {
      console.error(`This must hold, and did not:\n${missed.map((it) => `  ${it}`).join('\n')}`);
      process.exitCode = 1;
    }
    const file = options.json && resolve(process.env.INIT_CWD ?? '.', options.json);
    if (file) writeFileSync(file, `${JSON.stringify({ command, date, machine: facts, found }, null, 1)}\n`);
  }
}

function choose(only: readonly string[]) {
  const all = contenders();
  const names = all.map((it) => it.name);
  const unknown = only.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`There is no contender ${unknown} here: ${names.join(', ')}.`);
  return all.filter(({ name }) => only.length === 0 || only.includes(name));
}
