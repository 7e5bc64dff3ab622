/** The emitter as orchestrators and tools use it, heard at the execution door. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../hub/recording.fixture.ts';
import { AgentSSEEmitter, currentRun, type Telltale, type TelltaleError, telltale } from '../index.ts';

const UUID = '7d0f4a3e-0000-4000-8000-C1A2B3D4E5F6';
let app: Telltale;
let url: string;
let told: unknown[];

beforeEach(async () => {
  told = [];
  app = telltale({ store: 'memory:', onError: (error) => told.push(error) });
  ({ url } = await app.listen(0));
});
afterEach(() => app.close());

/** Resolves when there is the run. */
async function opened(runId: string): Promise<void> {
  const log = await app.log();
  while (!(await log.runs.get(runId))) await new Promise((resolve) => setImmediate(resolve));
}

/** What a viewer of the execution is told from its beginning to its end, without times; calls are numbered. */
async function heard(executionId: string): Promise<readonly (readonly [string, Record<string, unknown>])[]> {
  const address = `${url}/api/agent/executions/${executionId}/events`;
  await opened(executionId.replaceAll('-', '').toLowerCase());
  const text = await (await fetch(address)).text();
  const calls = new Set<string>();
  return [...text.matchAll(/^event: (.*)\ndata: (.*)$/gm)].map(([, event, data]) => {
    const { timestamp, executionId: id, startedAt: _, toolCallId, ...fields } = JSON.parse(data!);
    if (toolCallId !== undefined) calls.add(toolCallId);
    expect([id, timestamp]).toEqual([executionId, expect.any(String)]);
    return [event!, toolCallId === undefined ? fields : { ...fields, call: [...calls].indexOf(toolCallId) + 1 }];
  });
}

const PLAN = { goal: 'A page', phases: [{ id: 1, name: 'Write' }] };

/** All nine but for the end. */
function work(emitter: AgentSSEEmitter): void {
  emitter.planCreated({ plan: PLAN });
  emitter.phaseStart({ phaseId: 1, phaseName: 'Write', phaseIndex: 0 });
  emitter.thinking({ thought: 'Planning the page structure...' });
  emitter.toolStart({ toolName: 'create_file', params: { path: 'a' } });
  emitter.toolStart({ toolName: 'create_file', params: { path: 'b' } });
  emitter.toolComplete({ toolName: 'create_file', result: { bytes: 1 }, duration: 5 });
  emitter.toolComplete({ toolName: 'create_file', result: { bytes: 2 }, duration: 6 });
  emitter.phaseComplete({ phaseId: 1, phaseName: 'Write' });
}
const phase = { phaseId: '1', phaseName: 'Write' };
const tool = (n: number) => ({ toolName: 'create_file', call: n });
const WORK = [
  ['plan:created', { plan: { goal: 'A page', phases: [{ id: '1', name: 'Write' }] } }],
  ['phase:start', { ...phase, phaseIndex: 0 }],
  ['thinking', { thought: 'Planning the page structure...', iteration: 1 }],
  ['tool:start', { ...tool(1), params: { path: 'a' } }],
  ['tool:start', { ...tool(2), params: { path: 'b' } }],
  ['tool:complete', { ...tool(1), result: { bytes: 1 }, duration: 5 }],
  ['tool:complete', { ...tool(2), result: { bytes: 2 }, duration: 6 }],
  ['phase:complete', phase],
];

describe('outside of runs, an emitter', () => {
  test('opens the execution, tells all nine, in order, and ends it', async () => {
    const emitter = new AgentSSEEmitter('ann', UUID);
    emitter.executionStarted({ task: 'Create a landing page' });
    work(emitter);
    emitter.executionComplete({ result: { page: 'index.html' }, tokensUsed: 42 });
    emitter.thinking({ thought: 'too late' });
    expect(await heard(UUID)).toEqual([
      ['execution:started', { task: 'Create a landing page' }],
      ...WORK,
      ['execution:complete', { result: { page: 'index.html' }, tokensUsed: 42, duration: expect.any(Number) }],
    ]);
    const run = await (await app.log()).runs.get(UUID.replaceAll('-', '').toLowerCase());
    expect(run?.owner).toBe('ann');
    expect(told).toEqual([]);
  });

  test('tells a failure, without its stack', async () => {
    const emitter = new AgentSSEEmitter(7, 42);
    emitter.executionStarted({ task: 'Build' });
    emitter.executionError({ error: 'It broke', stack: 'Error: It broke\n  at secret.ts' });
    expect((await heard('42')).at(-1)).toEqual([
      'execution:error',
      { error: 'It broke', code: 'agent_failed', stack: '' },
    ]);
  });

  test('writes with others of its execution into one run, a tool’s for example, whoever tells first', async () => {
    new AgentSSEEmitter('ann', 'shared').thinking({ thought: 'from a tool' });
    const emitter = new AgentSSEEmitter('ann', 'shared');
    emitter.executionStarted({ task: 'is known' });
    emitter.executionComplete();
    expect((await heard('shared')).map(([event]) => event)).toEqual([
      ...['execution:started', 'thinking', 'execution:complete'],
    ]);
    expect(told).toEqual([]);
  });

  test('is told of a cancel by its signal, and the execution has ended', async () => {
    const emitter = new AgentSSEEmitter('ann', 'long');
    const { signal } = emitter;
    emitter.executionStarted({ task: 'Wait' });
    emitter.toolStart({ toolName: 'wait', params: {} });
    const ending = heard('long');
    await opened('long');
    expect((await fetch(`${url}/api/agent/executions/long/cancel`, { method: 'POST' })).status).toBe(202);
    await until(() => signal.aborted);
    expect((await ending).slice(-2).map(([event, { error }]) => [event, error])).toEqual([
      ['tool:complete', undefined],
      ['execution:error', 'cancelled'],
    ]);
  });

  test('is told of a cancel that comes before its turn, too', async () => {
    await app.close();
    app = telltale({ store: 'memory:', concurrency: 1 });
    ({ url } = await app.listen(0));
    new AgentSSEEmitter('ann', 'first').executionStarted({ task: 'Go on' });
    await opened('first');
    const second = new AgentSSEEmitter('ann', 'second');
    second.executionStarted({ task: 'Wait' });
    await opened('second');
    await fetch(`${url}/api/agent/executions/second/cancel`, { method: 'POST' });
    await until(() => second.signal.aborted);
    expect(await heard('second')).toEqual([
      ['execution:started', { task: 'Wait' }],
      ['execution:error', { error: 'cancelled', code: 'cancelled', stack: '' }],
    ]);
  });

  test('never throws: what cannot be written is reported', async () => {
    const ended = new AgentSSEEmitter('ann', 'twice');
    ended.executionStarted({ task: 'once' });
    ended.executionComplete();
    await heard('twice');
    new AgentSSEEmitter('ann', 'twice').executionStarted({ task: 'again' });
    new AgentSSEEmitter('ann', 'no id').executionStarted({ task: 'x' });
    await until(() => told.length === 2);
    expect(told.map((error) => (error as TelltaleError).code).sort()).toEqual(['invalid_request', 'run_exists']);
  });

  test('has to know of which Telltale it is', async () => {
    const other = telltale({ store: 'memory:' });
    expect(() => new AgentSSEEmitter('ann', 'x')).toThrow(/several/);
    expect(() => new AgentSSEEmitter('ann', 'x', other)).not.toThrow();
    await other.close();
    expect(() => new AgentSSEEmitter('ann', 'x', other)).toThrow(/no telltale/);
    expect(() => new AgentSSEEmitter('ann', 'x')).not.toThrow();
  });
});

test('in the function of its run, an emitter tells of that run, which begins and ends with the function', async () => {
  app.agent('builder', async (run, task) => {
    const emitter = new AgentSSEEmitter('ann', run.runId);
    expect(emitter.signal).toBe(run.signal);
    emitter.executionStarted({ task: 'is told by the run' });
    work(emitter);
    await run.tool('deep', {}, async () => {
      new AgentSSEEmitter('ann', currentRun()!.runId).thinking({ thought: 'deep' });
    });
    if (task === 'Fail') {
      emitter.executionError({ error: 'It broke' });
      throw new Error('It broke');
    }
    emitter.executionComplete({ result: { page: 'index.html' }, tokensUsed: 42 });
  });
  const complete = { result: { page: 'index.html' }, tokensUsed: 42, duration: expect.any(Number) };
  const failed = { error: 'It broke', code: 'agent_failed', stack: '' };
  const ends = { Build: ['execution:complete', complete], Fail: ['execution:error', failed] };
  for (const [task, end] of Object.entries(ends)) {
    const { runId } = await app.start({ agent: 'builder', input: task });
    expect((await heard(runId)).filter(([, { toolName }]) => toolName !== 'deep')).toEqual([
      ['execution:started', { task }],
      ...WORK,
      ['thinking', { thought: 'deep', iteration: 2 }],
      end,
    ]);
  }
  expect(told).toEqual([]);
});
