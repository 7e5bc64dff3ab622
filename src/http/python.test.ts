/** The Python client against a real server, with the machine's own Python. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startRelay } from '../client/relay.fixture.ts';
import { makeKey, type Telltale, telltale } from '../index.ts';
import { readAll, values } from '../testing/log/kit.ts';
import { has } from './programs.fixture.ts';

const MODULE = join(import.meta.dirname, '../../python');
const NONE = has('python3') ? false : 'there is no python3';
let dir: string;
let app: Telltale;
let url: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'telltale-'));
  app = telltale({ store: dir });
  ({ url } = await app.listen(0));
});
afterAll(async () => {
  await app.close();
  await rm(dir, { recursive: true });
});

/** Runs a program with `telltale` made; gives what it printed. `onLine` is told of each line. */
async function python(program: string, onLine = (_line: string): void => {}): Promise<string> {
  const child = spawn('python3', ['-u', '-c', `from telltale import *\ntelltale = Telltale("${url}")\n${program}`], {
    env: { ...process.env, PYTHONPATH: MODULE, PYTHONDONTWRITEBYTECODE: '1', http_proxy: '', no_proxy: '*' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    onLine(text);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  expect([code, err]).toEqual([0, '']);
  return out.trim();
}

const told = async (threadId: string) =>
  (await readAll(await app.log(), threadId)).map(({ type, data, agent }) => ({ type, data, ...(agent && { agent }) }));

test.skipIf(NONE)('a run with a step and tools, completed at its end', async () => {
  const runId = await python(`
with telltale.run("researcher", input="sky", lease=60) as run:
    with run.step("Search"):
        with run.tool("search", {"query": "sky"}) as tool:
            tool.result = ["Rayleigh"]
    try:
        with run.tool("broken"):
            raise ValueError("no")
    except ValueError:
        pass
    run.output = "Scattering."
print(run.run_id)
`);
  const durationMs = expect.any(Number);
  expect(await told(runId)).toMatchObject([
    { type: 'run.started', data: { agent: 'researcher', mode: 'remote', input: 'sky' } },
    { type: 'step.started', data: { stepId: 'step-1', name: 'Search' } },
    { type: 'tool.started', data: { toolCallId: 'tool-2', name: 'search' } },
    { type: 'tool.called', data: { toolCallId: 'tool-2', name: 'search', args: { query: 'sky' } } },
    { type: 'tool.completed', data: { toolCallId: 'tool-2', result: ['Rayleigh'], durationMs } },
    { type: 'step.completed', data: { stepId: 'step-1', durationMs } },
    { type: 'tool.started', data: { toolCallId: 'tool-3' } },
    { type: 'tool.called', data: { args: {} } },
    { type: 'tool.failed', data: { error: { code: 'ValueError', message: 'no' }, durationMs } },
    { type: 'run.completed', data: { output: 'Scattering.' } },
  ]);
});

test.skipIf(NONE)('a server that restarts in the middle: everything once, in order', async () => {
  const { port } = new URL(url);
  let runId = '';
  let restarted: Promise<void> | undefined;
  await python(
    `
run = telltale.run("counter")
print(run.run_id)
for i in range(3000):
    run.emit("custom", {"name": "n", "value": i})
    if i % 10 == 0:
        time.sleep(0.001)
run.close()
`,
    (line) => {
      runId ||= line.trim();
      restarted ??= (async () => {
        await app.close();
        app = telltale({ store: dir });
        await app.listen(Number(port));
      })();
    },
  );
  await restarted;
  expect(values(await readAll(await app.log(), runId))).toEqual(Array.from({ length: 3000 }, (_, i) => i));
});

test.skipIf(NONE)('answers that are lost: everything once, in order, in a run and in a session', async () => {
  const relay = await startRelay(() => url);
  let turn = 0;
  // Every other answer, that to the opening of the run too.
  relay.lose = () => turn++ % 2 === 0;
  try {
    const runId = await python(`
telltale = Telltale("${relay.url}")
run = telltale.run("counter")
for i in range(1200):
    run.emit("custom", {"name": "n", "value": i})
run.close()
for i in range(5):
    telltale.emit_agent_activity("lossy", "a", str(i), "done")
telltale.close()
print(run.run_id)
`);
    expect(values(await readAll(await app.log(), runId))).toEqual(Array.from({ length: 1200 }, (_, i) => i));
    const actions = (await told('lossy')).slice(1).map(({ data }) => (data as { action: string }).action);
    expect(actions).toEqual(['0', '1', '2', '3', '4']);
  } finally {
    relay.close();
  }
});

test.skipIf(NONE)('an exception fails the run, and is raised', async () => {
  const runId = await python(`
try:
    with telltale.run("broken") as run:
        raise KeyError("gone")
except KeyError:
    print(run.run_id)
`);
  expect((await told(runId)).at(-1)).toMatchObject({ type: 'run.failed', data: { error: { code: 'KeyError' } } });
});

test.skipIf(NONE)('a session is told of with its id alone, also when its run has ended in between', async () => {
  const activity = (action: string) =>
    `telltale.emit_agent_activity(session_id="session-123", agent_name="Document Agent", action="${action}", status="in-progress", details="PDF")\ntelltale.close()\n`;
  await python(`
${activity('one')}
found = json.loads(urllib.request.urlopen("${url}/v1/runs?threadId=session-123").read())["runs"][0]["runId"]
body = json.dumps({"events": [{"type": "run.completed", "data": {}}]}).encode()
headers = {"Content-Type": "application/json"}
urllib.request.urlopen(urllib.request.Request("${url}/v1/runs/" + found + "/events", body, headers)).read()
${activity('two')}`);
  const agent = { id: 'Document Agent', name: 'Document Agent', path: 'Document Agent' };
  const data = (action: string) => ({ action, status: 'in-progress', details: 'PDF' });
  expect(await told('session-123')).toMatchObject([
    { type: 'run.started', data: { agent: 'session' } },
    { type: 'activity.reported', data: data('one'), agent },
    { type: 'run.completed' },
    { type: 'run.started' },
    { type: 'activity.reported', data: data('two'), agent },
  ]);
});

test.skipIf(NONE)(
  'several processes tell one session at once: each event once, each in the order of its process',
  async () => {
    const [workers, each] = [4, 50];
    const worker = (n: number) => `
for i in range(${each}):
    telltale.emit_agent_activity(session_id="crowd", agent_name="worker-${n}", action=str(i), status="in-progress")
telltale.close()`;
    await Promise.all(Array.from({ length: workers }, (_, n) => python(worker(n))));
    const events = (await told('crowd')).filter(({ type }) => type === 'activity.reported');
    expect(events).toHaveLength(workers * each);
    for (let n = 0; n < workers; n++) {
      const actions = events.filter(({ agent }) => agent?.name === `worker-${n}`).map(({ data }) => data.action);
      expect(actions).toEqual(Array.from({ length: each }, (_, i) => String(i)));
    }
  },
);

test.skipIf(NONE)('a session that goes by a UUID is one thread, however it is written', async () => {
  await python(`
import uuid
session = uuid.UUID("7d0f4a3e-0000-4000-8000-c1a2b3d4e5f6")
telltale.emit_agent_activity(session, "a", "one", "done")
telltale.emit_agent_activity(str(session).upper(), "a", "two", "done")
telltale.close()`);
  expect(await told('7d0f4a3e000040008000c1a2b3d4e5f6')).toHaveLength(3);
});

test.skipIf(NONE)('a command is seen; a refusal is raised', async () => {
  const out = await python(`
run = telltale.run("asked")
urllib.request.urlopen(urllib.request.Request("${url}/v1/runs/" + run.run_id + "/cancel", b"{}", {"Content-Type": "application/json"})).read()
run.emit("custom", {"name": "n", "value": 1})
run.flush()
print(run.commands[0]["command"])
run.emit("run.started", {"agent": "x"})
try:
    run.flush()
except TelltaleError as error:
    print(error.code)
`);
  expect(out).toBe('cancel\nreserved_type');
});

test.skipIf(NONE)(
  'a question is answered by whoever watches; what people say is heard, also when the server comes back',
  async () => {
    const post = async (path: string, body: object) => {
      const headers = { 'content-type': 'application/json' };
      const { status } = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
      return status;
    };
    let printed = '';
    let chain = Promise.resolve();
    const out = await python(
      `
run = telltale.run("asks")
print(run.run_id)
print(run.approve("Deploy?", expires_in=600))
print(run.approve("Again?", ["now", "later"], expires_in=0.05))
print("listens")
said = run.heard("input.*")
print(next(said)["data"]["input"])
print(next(said)["data"]["input"])
run.close()
print(next(said)["type"])
print(list(said))
`,
      (text) => {
        const before = printed;
        printed += text;
        const at = `/v1/runs/${printed.split('\n')[0]}`;
        const isNew = (line: string) => printed.includes(line) && !before.includes(line);
        if (before === '') {
          chain = chain.then(async () => {
            // Refused until it has asked.
            while ((await post(`${at}/approvals/approval-1`, { decision: 'approve' })) !== 200);
          });
        }
        if (isNew('listens\n')) chain = chain.then(async () => void (await post(`${at}/input`, { input: 'first' })));
        if (isNew('first\n')) {
          chain = chain.then(async () => {
            await app.close();
            app = telltale({ store: dir });
            await app.listen(Number(new URL(url).port));
            await post(`${at}/input`, { input: 'second' });
          });
        }
      },
    );
    await chain;
    expect(out.split('\n').slice(1)).toEqual(['approve', 'None', 'listens', 'first', 'second', 'run.completed', '[]']);
  },
);

test.skipIf(NONE)('shows its API key with each request, and is told where that is none', async () => {
  const { key, entry } = makeKey({ userId: 'worker', scopes: ['start', 'read'] });
  const guarded = telltale({ store: 'memory:', auth: { apiKeys: [entry] } });
  onTestFinished(() => guarded.close());
  const { url: at } = await guarded.listen(0);
  const out = await python(`
with Telltale("${at}", token="${key}").run("worker") as run:
    run.emit("custom", {"name": "n", "value": 1})
    run.flush()
    print(next(run.heard(types="custom"))["type"])
telltale = Telltale("${at}", token="${key}")
telltale.emit_agent_activity("s1", "Worker", "read", "done")
print(telltale.close())
try:
    Telltale("${at}", token="none").run("worker")
except TelltaleError as error:
    print(error.code)
`);
  expect(out.split('\n')).toEqual(['custom', 'True', 'unauthorized']);
});
