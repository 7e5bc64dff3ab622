import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openAiStub } from '../adapters/openai-stub.fixture.ts';
import type { RunSnapshot, TelltaleEvent } from '../protocol/index.ts';
import { endAll, runInTerminal, runOnce, start, startServer } from './process.fixture.ts';

/** Agents as a user would write them; the functions that a test needs and nothing else. */
const AGENTS = `
const stopped = (run) => new Promise((resolve) => run.signal.addEventListener('abort', resolve));
export default {
  quick: async (run, input) => { await run.say('You said ' + input + '.'); return input; },
  broken: async () => { throw new Error('out of order'); },
  waiting: async (run) => { await run.think('I wait.'); await stopped(run); },
  stubborn: async (run) => { await run.think('I do not listen.'); await new Promise(() => {}); },
  busy: async (run) => { for (const i of [1, 2, 3]) await run.tool('look', { i }, () => i); },
  careless: async () => { void Promise.resolve().then(() => { throw new Error('forgotten \\u001b[31m'); }); },
  restless: async (run) => { setInterval(() => run.custom('still', 'here'), 20); await new Promise(() => {}); },
  hostile: async (run) => {
    const evil = 'x\\u001b]52;c;ZXZpbA==\\u0007\\u001b[2J\\u009b31m\\rY\\u202eZ\\u{e0067}';
    await run.plan(evil, [evil]);
    await run.agent(evil, async (agent) => {
      await agent.think(evil);
      await agent.tool(evil, { [evil]: evil }, () => evil);
      await agent.tool(evil, {}, () => { throw new Error(evil); }).catch(() => {});
      await agent.say((async function* () { yield evil; yield '\\n' + evil; })());
    }, { model: evil });
    run.custom(evil, evil);
    run.emit('artifact.added', { artifactId: '1', name: evil, url: evil });
    run.error({ code: evil, message: evil });
    throw new Error(evil);
  },
};
`;

let root: string;
let agents: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'telltale-cli-'));
  agents = join(root, 'agents.mjs');
  writeFileSync(agents, AGENTS);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
afterEach(endAll);

async function snapshot(url: string, runId: string): Promise<RunSnapshot> {
  return (await (await fetch(`${url}/v1/runs/${runId}`)).json()) as RunSnapshot;
}

async function begin(url: string, body: object): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/v1/runs`, { method: 'POST', headers, body: JSON.stringify(body) });
  return ((await response.json()) as { runId: string }).runId;
}

describe('telltale run', () => {
  let url: string;
  beforeEach(async () => {
    ({ url } = await startServer([agents, '--port', '0', '--data', 'memory:']));
  });

  test('shows a run from its beginning to its end, in plain lines in a pipe', async () => {
    const { code, stdout, stderr } = await runOnce(['run', 'quick', 'good', 'day', '--url', url]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /^▶ quick started · run \w+\n {2}good day\n\nquick says\nYou said good day\.\n\n✓ completed .*\n$/,
    );
  });

  test('finds the server by TELLTALE_URL, which --url overrules', async () => {
    expect(await runOnce(['run', 'quick', 'x'], { TELLTALE_URL: url })).toMatchObject({ code: 0 });
    const refused = await runOnce(['run', 'quick', 'x', '--url', 'http://127.0.0.1:1'], { TELLTALE_URL: url });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('http://127.0.0.1:1 does not answer.\nStart a server with "telltale serve"');
  });

  test('ends with 1 when the run failed, and when there is no such agent', async () => {
    const broken = await runOnce(['run', 'broken', 'x', '--url', url]);
    expect(broken.code).toBe(1);
    expect(broken.stdout).toContain('✗ failed out of order (agent_failed)');
    const unknown = await runOnce(['run', 'nobody', 'x', '--url', url]);
    expect(unknown).toMatchObject({ code: 1, stdout: '' });
    expect(unknown.stderr).toContain('nobody');
  });

  test('gives the run a budget, and says when it is used up', async () => {
    const spent = await runOnce(['run', 'busy', 'x', '--max-tool-calls', '2', '--on-exceeded', 'stop', '--url', url]);
    expect(spent).toMatchObject({ code: 1, stdout: expect.stringContaining('budget exceeded: 2 of 2 (toolCalls)') });
    const wrong = await runOnce(['run', 'busy', 'x', '--max-cost', 'much', '--url', url]);
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('--max-cost: much is no number') });
    const refused = await runOnce(['run', 'busy', 'x', '--max-cost=-1', '--url', url]);
    expect(refused.stderr).toContain('budget.maxCost');
  });

  test('Ctrl-C cancels the run and shows its end', async () => {
    const program = start(['run', 'waiting', 'x', '--url', url]);
    const [, runId] = await program.saw(/run (\w+)[\s\S]*I wait/);
    program.child.kill('SIGINT');
    const { code, stdout, stderr } = await program.ended;
    expect(code).toBe(130);
    expect(stderr).toBe('* Cancelling the run. Ctrl-C again leaves at once.\n');
    expect(stdout).toContain('■ cancelled by telltale run: Ctrl-C');
    expect(await snapshot(url, runId!)).toMatchObject({ status: 'cancelled' });
  });

  test('a second Ctrl-C leaves at once', async () => {
    const program = start(['run', 'stubborn', 'x', '--url', url]);
    const [, runId] = await program.saw(/run (\w+)[\s\S]*I do not listen/);
    program.child.kill('SIGINT');
    await program.saw(/cancel requested/);
    // Pressed until it is heard: what comes within a quarter of a second counts as the same.
    const pressing = setInterval(() => program.child.kill('SIGINT'), 50);
    // One that comes while it ends, when nobody listens any more, would end it as a signal does.
    await program.saw(/Left/, 'stderr');
    clearInterval(pressing);
    const { code, stderr } = await program.ended;
    expect(code).toBe(130);
    expect(stderr).toContain(`Left. "telltale tail ${runId}" shows the rest.`);
    expect((await snapshot(url, runId!)).status).toBe('running');
  });

  test('nothing that an agent says reaches a terminal or a pipe as a command (T6, T7)', async () => {
    const piped = await runOnce(['run', 'hostile', 'x', '--url', url]);
    expect(piped.stdout).toContain('␛]52;c;ZXZpbA==␇␛[2J<U+009B>31m␍Y<U+202E>Z<U+E0067>');
    expect(piped.stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    const [, runId] = /run (\w+)/.exec(piped.stdout)!;
    const json = await runOnce(['tail', runId!, '--json', '--url', url]);
    expect(json.stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(
      json.stdout
        .trim()
        .split('\n')
        .map((it) => JSON.parse(it)),
    ).toContainEqual(
      expect.objectContaining({
        type: 'custom',
        data: expect.objectContaining({ value: expect.stringContaining('\u001b]52') }),
      }),
    );
  });
});

describe('on a terminal', () => {
  const hasScript = spawnSync('script', ['--version']).status === 0;

  test('it is coloured and as wide as the terminal; with NO_COLOR it is not coloured', async (context) => {
    if (!hasScript) context.skip('needs util-linux "script" for a pseudo-terminal');
    const { url } = await startServer([agents, '--port', '0', '--data', 'memory:']);
    const coloured = await runInTerminal(['run', 'hostile', 'x', '--url', url]);
    expect(coloured.code).toBe(1);
    // Of all that is printed, only colours are obeyed.
    const lines = coloured.stdout
      .replaceAll('\r\n', '\n')
      .replace(/\u001b\[\d{1,2}m/g, '')
      .split('\n');
    expect(coloured.stdout).toMatch(/\u001b\[36m/);
    expect(lines.join('')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(lines.find((it) => it.includes('→'))).toMatch(/^.{90,100}$/u);

    const plain = await runInTerminal(['run', 'quick', 'x', '--url', url], { NO_COLOR: '1' });
    expect(plain.code).toBe(0);
    expect(plain.stdout).not.toContain('\u001b');
    expect(plain.stdout).toContain('You said x.');
  });
});

describe('telltale tail', () => {
  test('goes on where it was when the server is killed and comes back: each event once', async () => {
    const data = join(root, 'killed');
    const first = await startServer([agents, '--port', '0', '--data', data]);
    const runId = await begin(first.url, { agent: 'waiting' });
    const tail = start(['tail', runId, '--json', '--url', first.url]);
    await tail.saw(/reasoning\.completed/);
    first.program.child.kill('SIGKILL');
    await tail.saw(/Trying again in/, 'stderr');
    await startServer([agents, '--port', first.port, '--data', data]);
    const { code, stdout, stderr } = await tail.ended;
    expect(code).toBe(0);
    const events = stdout
      .trim()
      .split('\n')
      .map((it): TelltaleEvent => JSON.parse(it));
    expect(events.map((it) => it.seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)).toMatchObject({ type: 'run.failed', data: { error: { code: 'executor_lost' } } });
    expect(stderr).toContain('Connected again; going on after event');
  });

  // Starts two programs per attempt, one after the other: seconds each where the machine is busy.
  test('follows a thread with all its runs, from now on', { timeout: 90_000 }, async () => {
    const { url } = await startServer([agents, '--port', '0', '--data', 'memory:']);
    await begin(url, { agent: 'quick', input: 'before', threadId: 'talk', runId: 'one' });
    await runOnce(['tail', 'one', '--url', url]);
    const tail = start(['tail', 'talk', '--from', 'now', '--json', '--url', url]);
    // It cannot be seen from outside when it has connected, so runs are started until it tells of one.
    let found = false;
    const seen = tail.saw(/"runId":"later\d+","type":"run\.completed"/).then(() => {
      found = true;
    });
    for (let i = 0; !found; i++) {
      await begin(url, { agent: 'quick', input: 'after', threadId: 'talk', runId: `later${i}` });
      await runOnce(['tail', `later${i}`, '--url', url]);
    }
    await seen;
    tail.child.kill('SIGINT');
    const { code, stdout } = await tail.ended;
    expect(code).toBe(130);
    expect(stdout).not.toContain('before');
  });

  test('says so when there is no such run', async () => {
    const { url } = await startServer([agents, '--port', '0', '--data', 'memory:']);
    expect(await runOnce(['tail', 'nothing', '--url', url])).toMatchObject({
      code: 1,
      stderr: 'telltale: There is no run and no thread nothing.\n',
    });
  });
});

describe('telltale serve', () => {
  test('answers about the workspace it is given, and prints lines that work as they are', async () => {
    const workspace = join(root, 'workspace');
    mkdirSync(workspace, { recursive: true });
    writeFileSync(join(workspace, 'notes.md'), '# Notes\n\nTODO: mend the roof.\n');
    const { program, url } = await startServer(['--port', '0', '--data', 'memory:', '--workspace', workspace]);
    const asked = await runOnce(['run', 'analyst', 'What are the risks?', '--url', url]);
    expect(asked.code).toBe(0);
    expect(asked.stdout).toContain('notes.md:3 “TODO: mend the roof.” (is unfinished)');

    const [, page] = await program.saw(/\n\nOpen (http:\S+) in a browser: .*\n\n/);
    expect(await (await fetch(page!)).text()).toContain('<title>Telltale</title>');
    const [, command] = await program.saw(/^ {2}telltale (run .*)$/m);
    const words = [...command!.matchAll(/"([^"]*)"|(\S+)/g)].map((it) => it[1] ?? it[2]!);
    expect(await runOnce(words)).toMatchObject({ code: 0 });
    const [, ...curls] = await program.saw(/^ {2}(curl .*)\n {2}(curl .*)$/m);
    for (const curl of curls) {
      const { status, stdout } = spawnSync('sh', ['-c', `${curl} -sS --fail-with-body`], { encoding: 'utf8' });
      expect([status, stdout]).toEqual([0, expect.stringMatching(/"runId":"first"/)]);
    }
  });

  test('serves and names no page with --no-console', async () => {
    const { program, url } = await startServer([agents, '--port', '0', '--data', 'memory:', '--no-console']);
    expect((await fetch(url)).status).toBe(404);
    program.child.kill('SIGINT');
    expect((await program.ended).stdout).not.toContain('browser');
  });

  test('asks the model that the environment names, says where it sends what it reads, and with --rules does not', async () => {
    const server = await openAiStub(() => ({ text: 'The model says so.' }));
    try {
      const env = { OPENAI_BASE_URL: server.url, OPENAI_MODEL: 'stub-1' };
      const place = ['--port', '0', '--data', 'memory:', '--workspace', root];
      const { program, url } = await startServer(place, env);
      await program.saw(/agents {5}analyst · stub-1 \(openai-compatible\)\n/);
      await program.saw(new RegExp(`goes to ${new URL(server.url).host}; --rules keeps it here`));
      const asked = await runOnce(['run', 'analyst', 'What?', '--url', url]);
      expect(asked).toMatchObject({ code: 0, stdout: expect.stringContaining('\nThe model says so.\n') });
      expect(asked.stdout).toContain('Triage · asks stub-1');
      expect(server.requests).toHaveLength(1);

      const byRules = await startServer([...place, '--rules'], env);
      await byRules.program.saw(/agents {5}analyst · rules-1 \(no LLM\)\n/);
      expect(await runOnce(['run', 'analyst', 'What?', '--url', byRules.url])).toMatchObject({ code: 0 });
      expect(server.requests).toHaveLength(1);
    } finally {
      await server.close();
    }
  });

  test('refuses a server of models without the name of a model', async () => {
    const { code, stderr } = await runOnce(['serve'], { OPENAI_BASE_URL: 'http://127.0.0.1:1/v1' });
    expect([code, stderr]).toEqual([2, expect.stringContaining('say which model of that server in OPENAI_MODEL')]);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('%s ends it in order: runs are ended, the log is kept', async (signal) => {
    const data = join(root, signal);
    const first = await startServer([agents, '--port', '0', '--data', data]);
    const runId = await begin(first.url, { agent: 'waiting' });
    const tail = start(['tail', runId, '--url', first.url]);
    await tail.saw(/I wait/);
    // As npm does: the terminal tells the whole group, npm tells it once more. That is one wish.
    first.program.child.kill(signal);
    first.program.child.kill(signal);
    expect(await first.program.ended).toMatchObject({ code: 0, stderr: 'Stopping.\n' });
    const second = await startServer([agents, '--port', '0', '--data', data]);
    expect(await snapshot(second.url, runId)).toMatchObject({
      status: 'failed',
      // Its own end, not the one that is found missing when the store opens again.
      error: { code: 'executor_lost', message: 'The server was stopped.' },
    });
  });

  test('ends although an agent that does not listen keeps timers running', async () => {
    const { program, url } = await startServer([agents, '--port', '0', '--data', 'memory:']);
    await begin(url, { agent: 'restless' });
    program.child.kill('SIGINT');
    expect(await program.ended).toMatchObject({ code: 0, stderr: 'Stopping.\n' });
  });

  test('goes on, and says so, when an agent leaves a promise that fails', async () => {
    const { program, url } = await startServer([agents, '--port', '0', '--data', 'memory:']);
    await begin(url, { agent: 'careless' });
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    program.child.kill('SIGINT');
    const { code, stderr } = await program.ended;
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^An agent left a promise that failed; the server goes on\. Error: forgotten [^\x1b]*Stopping\.\n$/s,
    );
  });

  test('says what to do when the port is taken', async () => {
    const { port } = await startServer([agents, '--port', '0', '--data', 'memory:']);
    const second = await runOnce(['serve', agents, '--port', port, '--data', 'memory:']);
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(new RegExp(`^telltale: Port ${port} is taken:[\\s\\S]*--port 0`));
  });

  test.each([
    ['a module that is not there', [join(tmpdir(), 'nowhere.mjs')], 'is not a file'],
    ['a module that does not load', ['broken.mjs'], 'could not be loaded'],
    ['a module without agents', ['empty.mjs'], 'exports no agents'],
    ['a port that is none', ['--port', '99999'], '99999 is not a port'],
    ['two modules', ['a.mjs', 'b.mjs'], 'one module at most'],
    ['rules for a module', ['a.mjs', '--rules'], '--rules is for the analyst'],
    ['a workspace for a module', ['a.mjs', '--workspace', '.'], 'for the analyst'],
    ['an option nobody knows', ['--colour'], "Unknown option '--colour'"],
  ])('refuses %s', async (_name, args, said) => {
    writeFileSync(join(root, 'broken.mjs'), 'export default {');
    writeFileSync(join(root, 'empty.mjs'), 'export const answer = 42;');
    const placed = args.map((it) => (/^(broken|empty)\.mjs$/.test(it) ? join(root, it) : it));
    const { code, stderr } = await runOnce(['serve', ...placed]);
    expect(code).toBe(2);
    expect(stderr).toContain(said);
    expect(stderr).toContain('"telltale serve --help" tells how it is used.');
  });

  test('takes exported functions as agents, too', async () => {
    const file = join(root, 'named.mjs');
    writeFileSync(file, 'export const first = () => 1;\nexport async function second() {}\nexport const other = 3;\n');
    const { program } = await startServer([file, '--port', '0', '--data', 'memory:']);
    await program.saw(/agents {5}first\n {13}second\n/);
  });
});

describe('help', () => {
  test.each([[['--help']], [['serve', '--help']], [['run', '-h']], [['tail', '--help']]])(
    '%s teaches by example',
    async (args) => {
      const { code, stdout, stderr } = await runOnce(args);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(/\n {2}telltale (serve|run|tail)/);
      expect(Math.max(...stdout.split('\n').map((it) => it.length))).toBeLessThanOrEqual(120);
    },
  );

  test('says "npm run telltale --" where it was called like that', async () => {
    const { stdout } = await runOnce(['run', '--help'], { npm_lifecycle_event: 'telltale' });
    expect(stdout).toContain('\n  npm run telltale -- run analyst ');
  });

  test.each([
    [[], 'a durable log'],
    [['dance'], 'there is no command dance'],
    [['run'], 'which agent'],
    [['tail'], 'which run'],
  ])('%j is used wrongly: 2', async (args, said) => {
    const { code, stdout, stderr } = await runOnce(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(said);
  });
});
