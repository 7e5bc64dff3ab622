/** The execution door, as its own front end uses it (docs/doors/execution.md). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { append, type Draft } from '../../hub/drafts.fixture.ts';
import { until } from '../../hub/recording.fixture.ts';
import { type Telltale, telltale } from '../../index.ts';
import { faultyProxy } from '../../testing/faulty-proxy.ts';
import { send } from '../raw-request.fixture.ts';
import { type StreamServer, streamServer } from '../stream.fixture.ts';
import { cuts, FrontEnd } from './front-end.fixture.ts';

const NAMES = [
  ...['execution:started', 'plan:created', 'phase:start', 'thinking', 'tool:start', 'tool:complete', 'phase:complete'],
  ...['execution:complete', 'execution:error'],
];
const START: Draft = ['run.started', { agent: 'a', input: 'Build' }];
const END: Draft = ['run.completed', { output: 'Built' }];
const UUID = '7d0f4a3e-0000-4000-8000-C1A2B3D4E5F6';
const eventsOf = (url: string, execution: string, query = '') =>
  `${url}/api/agent/executions/${execution}/events${query}`;
const step = (n: number): Draft[] => [
  ['tool.called', { toolCallId: `t${n}`, name: 'create_file', args: { n } }],
  ['message.delta', { messageId: 'm', delta: 'not for this door' }],
  ['tool.completed', { toolCallId: `t${n}`, result: n, durationMs: n }],
];

/** As the document's: it closes when it has heard the end. */
async function ended(frontEnd: FrontEnd): Promise<void> {
  await until(() => frontEnd.names.some((it) => /^execution:(complete|error)$/.test(it)));
  frontEnd.close();
}

describe('the stream of an execution', () => {
  let server: StreamServer;
  const open: { close(): unknown }[] = [];
  const watch = (execution: string, query = '', url = server.url): FrontEnd => {
    const frontEnd = new FrontEnd(eventsOf(url, execution, query), NAMES);
    open.push(frontEnd);
    return frontEnd;
  };

  beforeAll(async () => {
    server = await streamServer({ heartbeatMs: 100_000 });
  });

  afterAll(async () => {
    for (const it of open) await it.close();
    await until(() => server.hub.viewers === 0);
    expect(server.errors).toEqual([]);
    await server.close();
  });

  it('comes once and in order to every front end, whatever is cut while it reconnects, and is not polled for ever', async () => {
    const seed = Date.now();
    await append(server.log, 'cut', [START, ...step(0)]);
    const proxies = await Promise.all([1, 2, 3, 4].map((n) => faultyProxy(server.url, cuts(seed + n, 2))));
    open.push(...proxies);
    const frontEnds = proxies.map(({ url }) => watch('cut', '', url));
    for (let n = 1; n < 60; n++) {
      await append(server.log, 'cut', step(n));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await append(server.log, 'cut', [END]);
    await Promise.all(frontEnds.map(({ closed }) => closed));
    const expected = Array.from({ length: 60 }, (_, n) => [`tool:start t${n}`, `tool:complete t${n}`]);
    for (const { heard, statuses } of frontEnds) {
      const said = heard.map(({ event, data }) =>
        data.toolCallId === undefined ? event : `${event} ${data.toolCallId}`,
      );
      expect(said, `seed ${seed}`).toEqual(['execution:started', ...expected.flat(), 'execution:complete']);
      // Two cuts, the end, and the answer that stops it.
      expect(statuses).toEqual([200, 200, 200, 204]);
    }
  }, 30_000);

  it('may be called by a UUID, which comes back as it was written', async () => {
    await append(server.log, UUID.replaceAll('-', '').toLowerCase(), [START, END]);
    const frontEnd = watch(UUID);
    await ended(frontEnd);
    expect(frontEnd.heard.map(({ data }) => data.executionId)).toEqual([UUID, UUID]);
  });

  it('is of this execution alone, also in a thread with others', async () => {
    await append(server.log, 'mine', [START], 'shared');
    await append(server.log, 'other', [START, ...step(7), END], 'shared');
    await append(server.log, 'mine', [END], 'shared');
    const frontEnd = watch('mine');
    await ended(frontEnd);
    expect(frontEnd.names).toEqual(['execution:started', 'execution:complete']);
  });

  it('has all in `onmessage` with ?events=message, told apart by `type`', async () => {
    await append(server.log, 'plain', [START, END]);
    const frontEnd = watch('plain', '?events=message');
    await until(() => frontEnd.heard.length === 2);
    frontEnd.close();
    expect(frontEnd.heard.map(({ event, data }) => `${event} ${data.type}`)).toEqual([
      'message execution:started',
      'message execution:complete',
    ]);
  });

  it.each([
    ['of another thread', 'elsewhere.2', 'unknown_epoch'],
    ['of another door', 'reset.elsewhere.2', 'malformed'],
    ['of several streams', '~Ahj6XsUPWA.12', 'malformed'],
  ])('tells a cursor %s as an execution that starts anew, and then everything', async (_what, cursor, reason) => {
    if (reason === 'unknown_epoch') await append(server.log, 'reset', [START, ...step(1), END]);
    const frontEnd = watch('reset', `?after=${cursor}`);
    await ended(frontEnd);
    expect(frontEnd.names).toEqual([
      ...['execution:started', 'execution:started', 'tool:start', 'tool:complete', 'execution:complete'],
    ]);
    expect(frontEnd.heard[0]!.data).toEqual({ executionId: 'reset', task: '', reset: reason });
  });

  it.each([
    ['one that is not there', 'none', 404, 'run_not_found'],
    ['what can be no id', 'a%20b', 404, 'run_not_found'],
    ['no id', '', 404, 'not_found'],
    ['one that was deleted', 'erased', 410, 'run_deleted'],
  ])('is refused before it opens for %s', async (_what, execution, status, code) => {
    if (execution === 'erased') {
      await append(server.log, 'erased', [START, END]);
      await server.log.retention.erase('erased');
    }
    const answer = await fetch(eventsOf(server.url, execution));
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'application/problem+json']);
    expect(await answer.json()).toMatchObject({ code });
  });

  it('is for pages of its development servers, with their cookies', async () => {
    const ask = (origin: string) =>
      send(server.url, {
        method: 'HEAD',
        target: '/api/agent/executions/plain/events',
        headers: [`Origin: ${origin}`],
      });
    for (const origin of ['http://localhost:5173', 'http://localhost:3000']) {
      const { status, headers } = await ask(origin);
      expect([status, headers['access-control-allow-origin']]).toEqual([200, origin]);
      expect(headers['access-control-allow-credentials']).toBe('true');
    }
    expect((await ask('http://localhost:5174')).status).toBe(403);
  });
});

describe('executions', () => {
  let app: Telltale;
  let url: string;
  const JSON_TYPE = { 'content-type': 'application/json' };
  const post = async (path: string, body: string | object | undefined, headers: Record<string, string> = JSON_TYPE) => {
    const text = typeof body === 'object' ? JSON.stringify(body) : body;
    const answer = await fetch(url + path, { method: 'POST', headers, ...(text !== undefined && { body: text }) });
    return { status: answer.status, body: await answer.json() };
  };
  const execute = (body: string | object, headers?: Record<string, string>) =>
    post('/api/agent/execute', body, headers);
  const runs = async () => (await (await fetch(`${url}/v1/runs`)).json()).runs.length as number;

  beforeAll(async () => {
    app = telltale({ store: 'memory:' });
    app.agent('builder', async (run, input) => {
      if (input === 'Wait') {
        await new Promise((_, reject) => run.signal.addEventListener('abort', () => reject(run.signal.reason)));
      }
      await run.plan('A page', ['Design', 'Write']);
      await run.step('Write', () => run.tool('create_file', { path: 'index.html' }, () => ({ bytes: 3 })));
      return input;
    });
    ({ url } = await app.listen(0));
  });
  afterAll(() => app.close());

  it('start, are watched and tell their result', async () => {
    const { status, body } = await execute({ task: ' Create a landing page ' });
    expect([status, body]).toMatchObject([201, { executionId: body.id, status: 'running' }]);
    const frontEnd = new FrontEnd(url + body.eventsUrl, NAMES);
    await ended(frontEnd);
    expect(frontEnd.names).toEqual([
      ...['execution:started', 'plan:created', 'phase:start', 'tool:start', 'tool:complete', 'phase:complete'],
      'execution:complete',
    ]);
    const about = { executionId: body.id, timestamp: expect.any(String) };
    const [started, plan, phase] = frontEnd.heard.map(({ data }) => data);
    expect(started).toEqual({ ...about, task: 'Create a landing page', startedAt: started!.timestamp });
    const { phases } = plan!.plan as { phases: { id: string }[] };
    expect(plan).toMatchObject({ plan: { goal: 'A page', phases: [{ name: 'Design' }, { name: 'Write' }] } });
    expect(phase).toEqual({ ...about, phaseId: phases[1]!.id, phaseName: 'Write', phaseIndex: 1 });
    expect(frontEnd.heard.at(-1)!.data).toEqual({
      ...about,
      ...{ result: 'Create a landing page', duration: expect.any(Number), tokensUsed: 0 },
    });
  });

  it('may have parameters, and start once for an Idempotency-Key', async () => {
    const again = () => execute({ task: 'Once', parameters: { dark: true } }, { ...JSON_TYPE, 'idempotency-key': 'k' });
    const [one, two] = [await again(), await again()];
    expect([one.status, two.status, two.body.id]).toEqual([201, 200, one.body.id]);
    const frontEnd = new FrontEnd(url + one.body.eventsUrl, NAMES);
    await ended(frontEnd);
    expect(frontEnd.heard[0]!.data.task).toBe('Once');
    expect(frontEnd.heard.at(-1)!.data.result).toEqual({ task: 'Once', parameters: { dark: true } });
  });

  it('are cancelled, with a body and without', async () => {
    for (const body of [{ reason: 'Enough' }, undefined]) {
      const { id, eventsUrl } = (await execute({ task: 'Wait' })).body;
      const frontEnd = new FrontEnd(url + eventsUrl, NAMES);
      await until(() => frontEnd.heard.length > 0);
      const cancel = () => post(`/api/agent/executions/${id}/cancel`, body, body ? JSON_TYPE : {});
      expect(await cancel()).toMatchObject({ status: 202, body: { executionId: id } });
      await ended(frontEnd);
      const { reason } = body ?? {};
      expect(frontEnd.heard.at(-1)).toMatchObject({
        ...{ event: 'execution:error', data: { error: 'cancelled', stack: '', ...(reason && { reason }) } },
      });
      expect(await cancel()).toEqual({ status: 200, body: { executionId: id, status: 'cancelled' } });
    }
    expect((await post('/api/agent/executions/none/cancel', {})).status).toBe(404);
  });

  it.each([
    ['an empty task', '{"task":"  "}', 400, 'invalid_request'],
    ['no task', '{}', 400, 'invalid_request'],
    ['no body', '', 400, 'invalid_json'],
    ['a member nobody knows', '{"task":"x","more":1}', 400, 'invalid_request'],
    ['one that is too long', JSON.stringify({ task: 'x'.repeat(70_000) }), 400, 'invalid_request'],
    ['a body that is too large', JSON.stringify({ task: 'x'.repeat(1_100_000) }), 413, 'batch_too_large'],
    ['what is no JSON', '{', 400, 'invalid_json'],
    ['what is too deep', `{"task":"x","parameters":${'{"a":'.repeat(70)}1${'}'.repeat(70)}}`, 400, 'too_deep'],
  ])('are not started by %s', async (_what, body, status, code) => {
    const before = await runs();
    expect(await execute(body)).toMatchObject({ status, body: { code } });
    expect(await runs()).toBe(before);
  });

  it('are of the agent that the door names, where there are several', async () => {
    for (const agent of [undefined, 'second']) {
      const several = telltale({ store: 'memory:', ...(agent && { doors: { execution: { agent } } }) });
      for (const name of ['first', 'second']) several.agent(name, () => name);
      const request = { method: 'POST', headers: JSON_TYPE, body: '{"task":"x"}' };
      const answer = await several.fetch(new Request('http://localhost/api/agent/execute', request));
      if (agent) expect(answer.status).toBe(201);
      else expect([answer.status, (await answer.json()).code]).toEqual([404, 'agent_not_found']);
      await several.close();
    }
  });
});
