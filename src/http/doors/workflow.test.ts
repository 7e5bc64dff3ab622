/** The workflow door, as its own front end uses it (docs/doors/workflow.md). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { append, type Draft } from '../../hub/drafts.fixture.ts';
import { until } from '../../hub/recording.fixture.ts';
import { type Telltale, telltale } from '../../index.ts';
import { faultyProxy } from '../../testing/faulty-proxy.ts';
import { type StreamServer, streamServer } from '../stream.fixture.ts';
import { cuts, FrontEnd } from './front-end.fixture.ts';

const NAMES = [
  ...['WorkflowStarted', 'WorkflowCompleted', 'WorkflowFailed', 'WorkflowLLMCallStarted', 'WorkflowLLMCallCompleted'],
  ...['WorkflowToolCallStarted', 'WorkflowToolCallCompleted', 'WorkflowBudgetWarning', 'WorkflowBudgetExceeded'],
  ...['WorkflowPaused', 'WorkflowResumed', 'WorkflowStepStarted', 'WorkflowStepCompleted', 'heartbeat'],
];
const START: Draft = ['run.started', { agent: 'a', input: 'Why?' }];
const END: Draft = ['run.completed', { output: 'So.' }];
const cost = { amount: 0.2, currency: 'EUR', source: 'provider' };
const call = (n: number): Draft[] => [
  ['llm.started', { callId: `c${n}`, model: `m${n}`, estimatedCost: cost }],
  ['message.delta', { messageId: 'm', delta: 'not for this door' }],
  ['llm.completed', { callId: `c${n}`, cost }],
];
const streamOf = (url: string, task: string, agent = 'a') =>
  `${url}/api/v1/agents/${agent}/tasks/${task}/events/stream`;

/** Until it has heard the end. What it is answered then is for one test to see: EventSource takes seconds to ask. */
async function ended(frontEnd: FrontEnd): Promise<void> {
  await until(() => frontEnd.heard.some(({ data }) => /Workflow(Completed|Failed)$/.test(`${data.type}`)));
  frontEnd.close();
}

describe('the stream of a task', () => {
  let server: StreamServer;
  const open: { close(): unknown }[] = [];
  const watch = (task: string, query = '', url = server.url): FrontEnd => {
    const frontEnd = new FrontEnd(`${streamOf(url, task)}${query}`, NAMES);
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

  it('comes once and in order to every front end, whatever is cut while it reconnects by itself, and stops at the end', async () => {
    const seed = Date.now();
    const [task, calls] = ['cut', 60];
    await append(server.log, task, [START, ...call(0)]);
    const proxies = await Promise.all([1, 2, 3, 4].map((n) => faultyProxy(server.url, cuts(seed + n, 2))));
    open.push(...proxies);
    const frontEnds = proxies.map(({ url }) => watch(task, '', url));
    for (let n = 1; n < calls; n++) {
      await append(server.log, task, call(n));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await append(server.log, task, [END]);
    await Promise.all(frontEnds.map(({ closed }) => closed));
    const expected = Array.from({ length: calls }, (_, n) => [
      `WorkflowLLMCallStarted m${n}`,
      `WorkflowLLMCallCompleted m${n}`,
    ]);
    for (const { heard, statuses } of frontEnds) {
      const said = heard.map(({ event, data }) => (data.model === undefined ? event : `${event} ${data.model}`));
      expect(said, `seed ${seed}`).toEqual(['WorkflowStarted', ...expected.flat(), 'WorkflowCompleted']);
      // Two cuts, the end, and the answer that stops it.
      expect(statuses).toEqual([200, 200, 200, 204]);
    }
  }, 30_000);

  it('has all in `onmessage` with ?events=message, told apart by `type`', async () => {
    await append(server.log, 'plain', [START, ...call(1), END]);
    const frontEnd = watch('plain', '?events=message');
    await ended(frontEnd);
    expect(frontEnd.heard.map(({ event, data }) => `${event} ${data.type}`)).toEqual([
      'message WorkflowStarted',
      'message WorkflowLLMCallStarted',
      'message WorkflowLLMCallCompleted',
      'message WorkflowCompleted',
    ]);
    expect(frontEnd.heard[1]!.data).toMatchObject({
      model: 'm1',
      estimated_cost: 0.2,
      task_id: 'plain',
      agent_id: 'a',
    });
  });

  it('leaves history out with ?include_history=false, but never the end', async () => {
    await append(server.log, 'late', [START, ...call(1)]);
    const now = watch('late', '?include_history=false');
    await until(() => now.statuses.length === 1);
    const all = watch('late', '?include_history=true');
    await until(() => all.heard.length === 3);
    await append(server.log, 'late', [...call(2), END]);
    await Promise.all([ended(now), ended(all)]);
    // The heartbeat has the id to come back with, should nothing come before a cut.
    expect(now.heard[0]!.id).toMatch(/\.4$/);
    expect(now.names).toEqual(['heartbeat', 'WorkflowLLMCallStarted', 'WorkflowLLMCallCompleted', 'WorkflowCompleted']);
    expect(all.heard).toHaveLength(6);
    const after = watch('late', '?include_history=false');
    await after.closed;
    expect([after.names, after.statuses]).toEqual([['WorkflowCompleted'], [200, 204]]);
  });

  it('is of this task alone, also in a thread with others', async () => {
    await append(server.log, 'mine', [START], 'shared');
    await append(server.log, 'other', [START, ...call(7), END], 'shared');
    await append(server.log, 'mine', [END], 'shared');
    const frontEnd = watch('mine');
    await ended(frontEnd);
    expect(frontEnd.names).toEqual(['WorkflowStarted', 'WorkflowCompleted']);
  });

  it.each([
    ['of another thread', 'elsewhere.2', 'unknown_epoch'],
    ['of another door', 'reset.elsewhere.2', 'malformed'],
    ['of several streams', '~Ahj6XsUPWA.12', 'malformed'],
  ])('tells a cursor %s by a heartbeat with `reset`, and then everything anew', async (_what, cursor, reason) => {
    if (reason === 'unknown_epoch') await append(server.log, 'reset', [START, ...call(1), END]);
    const frontEnd = watch('reset', `?after=${cursor}`);
    await ended(frontEnd);
    const anew = ['WorkflowStarted', 'WorkflowLLMCallStarted', 'WorkflowLLMCallCompleted', 'WorkflowCompleted'];
    expect(frontEnd.names).toEqual(['heartbeat', ...anew]);
    expect(frontEnd.heard[0]!.data).toMatchObject({ type: 'heartbeat', reset: reason, task_id: 'reset' });
  });

  it('beats as an event, while nothing happens', async () => {
    const quick = await streamServer({ heartbeatMs: 50 });
    await append(quick.log, 'quiet', [START]);
    const frontEnd = new FrontEnd(streamOf(quick.url, 'quiet'), NAMES);
    await until(() => frontEnd.heard.length > 2);
    frontEnd.close();
    expect(frontEnd.names.slice(0, 3)).toEqual(['WorkflowStarted', 'heartbeat', 'heartbeat']);
    expect(frontEnd.heard[1]!.data).toMatchObject({ task_id: 'quiet', timestamp: expect.any(String) });
    // It moves no cursor.
    expect(frontEnd.heard[1]!.id).toBe(frontEnd.heard[0]!.id);
    await quick.close();
  });

  it.each([
    ['a task that is not there', 'none', 'a', 404, 'run_not_found'],
    ['a task of another agent', 'plain', 'b', 404, 'run_not_found'],
    ['what can be no id', '%2e%2e', 'a', 404, 'not_found'],
    ['a task that was deleted', 'gone', 'a', 410, 'run_deleted'],
  ])('is refused before it opens for %s', async (_what, task, agent, status, code) => {
    if (task === 'gone') {
      await append(server.log, 'gone', [START, END]);
      await server.log.retention.erase('gone');
    }
    const answer = await fetch(streamOf(server.url, task, agent));
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'application/problem+json']);
    expect(await answer.json()).toMatchObject({ code });
  });
});

describe('the tasks of an agent', () => {
  let app: Telltale;
  let url: string;
  const JSON_TYPE = { 'content-type': 'application/json' };
  const post = async (path: string, body: string | object, headers: Record<string, string> = JSON_TYPE) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body: text });
    return { status: answer.status, body: await answer.json() };
  };
  const runs = async () => (await (await fetch(`${url}/v1/runs`)).json()).runs.length as number;

  beforeAll(async () => {
    app = telltale({ store: 'memory:', doors: { workflow: { agent: 'echo' } } });
    app.agent('echo', (_run, input) => input);
    app.agent('waiter', async (run) => {
      await new Promise((_, reject) => run.signal.addEventListener('abort', () => reject(run.signal.reason)));
    });
    app.agent('walker', async (run) => {
      for (;;) {
        await run.checkpoint();
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    const spent = { amount: 0.9, currency: 'USD', source: 'provider' };
    app.agent(
      'spender',
      (run) =>
        run.step('Search', async () => {
          run.emit('llm.started', { callId: 'c', model: 'm', estimatedCost: spent });
          run.emit('llm.completed', { callId: 'c', cost: spent });
          await run.tool('search', {}, () => 'found');
          return 'So.';
        }),
      { budget: { maxCost: 1 } },
    );
    ({ url } = await app.listen(0));
  });
  afterAll(() => app.close());

  it('start, are watched and tell their result', async () => {
    const { status, body } = await post('/api/v1/agents/echo/tasks', { description: 'Hello' });
    expect([status, body]).toMatchObject([201, { agent_id: 'echo', status: 'running', task_id: body.id }]);
    const frontEnd = new FrontEnd(url + body.events_url, NAMES);
    await ended(frontEnd);
    expect(frontEnd.heard.map(({ event, data }) => [event, data.result])).toEqual([
      ['WorkflowStarted', undefined],
      ['WorkflowCompleted', 'Hello'],
    ]);
  });

  it('may be of an agent that its client calls by an id of its own', async () => {
    const agent = '7d0f4a3e-0000-4000-8000-c1a2b3d4e5f6';
    const { body } = await post(`/api/v1/agents/${agent}/tasks`, { description: 'Read', parameters: { path: 'x' } });
    const frontEnd = new FrontEnd(url + body.events_url, NAMES);
    await ended(frontEnd);
    expect(frontEnd.heard.at(-1)!.data).toMatchObject({
      agent_id: agent,
      result: { description: 'Read', parameters: { path: 'x' } },
    });
    expect((await fetch(streamOf(url, body.id, 'somebody'))).status).toBe(404);
  });

  it('start once for an Idempotency-Key', async () => {
    const again = () =>
      post('/api/v1/agents/echo/tasks', { description: 'Once' }, { ...JSON_TYPE, 'idempotency-key': 'k' });
    const [one, two] = [await again(), await again()];
    expect([one.status, two.status, two.body.id]).toEqual([201, 200, one.body.id]);
  });

  it('are cancelled at an address of their own', async () => {
    const { body } = await post('/api/v1/agents/waiter/tasks', { description: 'Wait' });
    const frontEnd = new FrontEnd(url + body.events_url, NAMES);
    await until(() => frontEnd.heard.length > 0);
    const path = `/api/v1/agents/waiter/tasks/${body.id}/cancel`;
    expect(await post(path, { reason: 'Enough' })).toMatchObject({ status: 202, body: { task_id: body.id } });
    await ended(frontEnd);
    expect(frontEnd.heard.at(-1)).toMatchObject({
      event: 'WorkflowFailed',
      data: { error: 'cancelled', reason: 'Enough' },
    });
    expect(await post(path, {})).toEqual({ status: 200, body: { task_id: body.id, status: 'cancelled' } });
    expect((await post(`/api/v1/agents/echo/tasks/${body.id}/cancel`, {})).status).toBe(404);
  });

  it('are paused and resumed at addresses of their own, and their viewers hear of it', async () => {
    const { body } = await post('/api/v1/agents/walker/tasks', { description: 'Walk' });
    const frontEnd = new FrontEnd(url + body.events_url, NAMES);
    const path = `/api/v1/agents/walker/tasks/${body.id}`;
    const hears = (name: string) => until(() => frontEnd.names.includes(name), name);
    expect(await post(`${path}/pause`, { reason: 'lunch' })).toMatchObject({ status: 202 });
    await hears('WorkflowPaused');
    expect(await post(`${path}/pause`, {})).toEqual({ status: 200, body: { task_id: body.id, status: 'paused' } });
    expect(await post(`${path}/resume`, {})).toMatchObject({ status: 202, body: { status: 'paused' } });
    await hears('WorkflowResumed');
    await post(`${path}/cancel`, {});
    await ended(frontEnd);
    expect(frontEnd.names).toEqual(['WorkflowStarted', 'WorkflowPaused', 'WorkflowResumed', 'WorkflowFailed']);
    expect(frontEnd.heard[1]!.data).toMatchObject({ reason: 'lunch' });
    for (const command of ['pause', 'resume']) {
      expect((await post(`/api/v1/agents/echo/tasks/${body.id}/${command}`, {})).status).toBe(404);
    }
  });

  it('tell start, step, model call, tool, budget and result in the order in which they happen', async () => {
    const { body } = await post('/api/v1/agents/spender/tasks', { description: 'Spend' });
    const frontEnd = new FrontEnd(url + body.events_url, NAMES);
    await ended(frontEnd);
    expect(frontEnd.heard.map(({ event, data }) => [event, data.cost ?? data.used ?? data.result])).toEqual([
      ['WorkflowStarted', undefined],
      ['WorkflowStepStarted', undefined],
      ['WorkflowLLMCallStarted', undefined],
      ['WorkflowLLMCallCompleted', 0.9],
      ['WorkflowBudgetWarning', 0.9],
      ['WorkflowToolCallStarted', undefined],
      ['WorkflowToolCallCompleted', 'found'],
      ['WorkflowStepCompleted', 'So.'],
      ['WorkflowCompleted', 'So.'],
    ]);
  });

  it.each([
    ['an empty description', '{"description":"  "}', 400, 'invalid_request'],
    ['no description', '{}', 400, 'invalid_request'],
    ['a member nobody knows', '{"description":"x","more":1}', 400, 'invalid_request'],
    ['one that is too long', JSON.stringify({ description: 'x'.repeat(70_000) }), 400, 'invalid_request'],
    ['a body that is too large', JSON.stringify({ description: 'x'.repeat(1_100_000) }), 413, 'batch_too_large'],
    ['what is no JSON', '{', 400, 'invalid_json'],
    ['what is too deep', `{"description":"x","parameters":${'{"a":'.repeat(70)}1${'}'.repeat(70)}}`, 400, 'too_deep'],
  ])('are not started by %s', async (_what, body, status, code) => {
    const before = await runs();
    expect(await post('/api/v1/agents/echo/tasks', body)).toMatchObject({ status, body: { code } });
    expect(await runs()).toBe(before);
  });

  it('are there no more where the door is closed', async () => {
    const closed = telltale({ store: 'memory:', doors: { workflow: false } });
    const answer = await closed.fetch(new Request(`http://localhost/api/v1/agents/a/tasks`, { method: 'POST' }));
    expect(answer.status).toBe(404);
    await closed.close();
    expect(() => telltale({ doors: { wrokflow: false } as object })).toThrow(/there is no "wrokflow"/);
  });
});
