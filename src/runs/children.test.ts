import { describe, expect, test } from 'vitest';
import type { Log } from '../log/index.ts';
import { openMemory } from '../log/memory.ts';
import { isTerminal, type RunWriter, type TelltaleEvent } from '../protocol/index.ts';
import { type AgentFunction, currentRun, type RunLimits, Runs, type RunsOptions } from './index.ts';
import { eventsWhen, fold, told } from './watching.fixture.ts';

const aborted = (run: RunWriter) =>
  new Promise<void>((resolve) => run.signal.addEventListener('abort', () => resolve()));

/** Starts `parent`, and waits until it and all that it started have ended; the events of each run by its agent. */
async function family(
  agents: Record<string, AgentFunction>,
  {
    meanwhile,
    about = {},
    ...options
  }: RunsOptions & {
    /** Of the child. */
    about?: RunLimits;
    meanwhile?: (runs: Runs, ids: Record<string, string>, log: Log) => unknown;
  } = {},
) {
  const log = openMemory();
  const runs = new Runs(log, options);
  for (const [name, fn] of Object.entries(agents)) runs.register(name, fn, name === 'child' ? about : {});
  await runs.start({ agent: 'parent', input: 'hello', runId: 'p', owner: 'ann' });
  const idsOf = (events: readonly TelltaleEvent[]) =>
    Object.fromEntries(
      events.flatMap(({ type, runId, data }) =>
        type === 'run.started' ? [[(data as { agent: string }).agent, runId]] : [],
      ),
    ) as Record<string, string>;
  if (meanwhile) {
    const there = await eventsWhen(log, 'p', (events) => Object.keys(agents).every((name) => name in idsOf(events)));
    await meanwhile(runs, idsOf(there), log);
  }
  const events = await eventsWhen(log, 'p', (all) => {
    const ended = all.filter(({ type }) => isTerminal(type)).length;
    return ended > 0 && ended === new Set(all.map(({ runId }) => runId)).size;
  });
  const ids = idsOf(events);
  const of = (name: string) => events.filter(({ runId }) => runId === ids[name]);
  return { log, runs, ids, of, events };
}

describe('run.child (P10)', () => {
  test('runs another agent as a run of its own in the same thread, of the same owner, and gives its output', async () => {
    const { of, ids, log, runs } = await family({
      parent: async (run, input: string) => `got ${await run.child('child', { asked: input })}`,
      child: async (run, { asked }) => {
        // Whoever calls, the scope that counts is the child's.
        await currentRun()!.tool('echo', { asked }, () => asked);
        return `${asked} from ${run.threadId}`;
      },
    });
    expect(told(of('child'))).toEqual([
      ['run.started', { agent: 'child', mode: 'local', input: { asked: 'hello' } }],
      ['tool.started', { toolCallId: 'tool-1', name: 'echo' }],
      ['tool.called', { toolCallId: 'tool-1', name: 'echo', args: { asked: 'hello' } }],
      ['tool.completed', { toolCallId: 'tool-1', name: 'echo', result: 'hello' }],
      ['run.completed', { output: 'hello from p' }],
    ]);
    expect(of('child').every(({ parentRunId }) => parentRunId === 'p')).toBe(true);
    expect(of('parent').every(({ parentRunId }) => parentRunId === undefined)).toBe(true);
    expect(await log.runs.get(ids.child!)).toMatchObject({ threadId: 'p', parentRunId: 'p', owner: 'ann' });
    expect(fold(of('parent')).output).toBe('got hello from p');
    expect(await runs.snapshot(ids.child!)).toMatchObject({ status: 'completed', parentRunId: 'p' });
  });

  test('whoever watches the parent alone sees the child begin, which run it is, and what came of it', async () => {
    const { of, ids } = await family({ parent: (run) => run.child('child', 1), child: () => 'done' });
    expect(told(of('parent')).slice(1, 3)).toEqual([
      ['agent.started', 'child-1', { input: 1, childRunId: ids.child }],
      ['agent.completed', 'child-1', { output: 'done' }],
    ]);
    expect(fold(of('parent')).agents).toMatchObject([{ id: 'child-1', childRunId: ids.child, status: 'completed' }]);
  });

  test('takes no place in the queue: a parent that waits for it never waits for ever', async () => {
    const { of } = await family(
      { parent: (run) => Promise.all([run.child('child', 1), run.child('child', 2)]), child: (_, n: number) => n },
      { concurrency: 1 },
    );
    expect(fold(of('parent')).output).toEqual([1, 2]);
  });

  test.each<[string, Record<string, AgentFunction>, string]>([
    ['fails', { child: () => Promise.reject(new Error('no luck')) }, 'failed: no luck'],
    ['cannot be found', {}, 'No agent "child"'],
  ])('a child that %s rejects with why, and the parent may go on', async (_, child, why) => {
    const thrown: unknown[] = [];
    const { of } = await family({
      parent: async (run) => {
        await run.child('child').catch((error) => thrown.push(error));
        return 'went on';
      },
      ...child,
    });
    expect(thrown).toEqual([expect.objectContaining({ message: expect.stringContaining(why) })]);
    expect(fold(of('parent'))).toMatchObject({
      status: 'completed',
      output: 'went on',
      agents: [{ status: 'failed' }],
    });
  });

  test('a child that is cancelled by itself ends alone', async () => {
    const { of } = await family(
      { parent: (run) => run.child('child').catch((error) => error.message), child: aborted },
      { meanwhile: (runs, { child }) => runs.commands.ask(child!, { command: 'cancel', reason: 'not needed' }) },
    );
    expect(fold(of('child')).status).toBe('cancelled');
    expect(fold(of('parent'))).toMatchObject({
      status: 'completed',
      output: expect.stringMatching(/cancelled: not needed$/),
    });
  });

  test('it is cancelled with its parent, down to the last', async () => {
    const reasons: unknown[] = [];
    const { of } = await family(
      {
        parent: (run) => run.child('child').catch((error) => reasons.push(error)),
        child: (run) => run.child('grandchild'),
        grandchild: aborted,
      },
      { meanwhile: (runs, { parent }) => runs.commands.ask(parent!, { command: 'cancel', by: 'ann' }) },
    );
    expect(['parent', 'child', 'grandchild'].map((name) => fold(of(name)).status)).toEqual(Array(3).fill('cancelled'));
    expect(of('child').at(-1)!.data).toMatchObject({ reason: 'Run p, which started it, was stopped.' });
    expect(reasons, 'the abort reason of the one that waits').toEqual([
      expect.objectContaining({ name: 'AbortError' }),
    ]);
  });

  test('it is cancelled where its parent ends without waiting', async () => {
    const { of } = await family({
      parent: async (run) => {
        run.child('child');
        await new Promise((resolve) => setTimeout(resolve, 5));
        return 'early';
      },
      child: aborted,
    });
    expect(fold(of('parent'))).toMatchObject({ status: 'completed', output: 'early' });
    expect(of('child').at(-1)).toMatchObject({
      type: 'run.cancelled',
      data: { reason: 'Run p, which started it, has ended.' },
    });
  });

  test('eight runs deep is enough', async () => {
    const { events } = await family({
      parent: (run) => run.child('deeper'),
      deeper: (run) => run.child('deeper'),
    });
    expect(new Set(events.map(({ runId }) => runId)).size).toBe(9);
    const told = events.filter(({ type }) => type === 'agent.failed').map(({ data }) => data);
    expect(told[0]).toMatchObject({ error: { code: 'too_deep', message: expect.stringContaining('8 runs above it') } });
  });

  test('whoever pauses the parent holds the child at its next checkpoint, and its clock', async () => {
    const asked = Promise.withResolvers<void>();
    const { of, events } = await family(
      {
        parent: (run) => run.child('child'),
        child: async (run) => {
          await asked.promise;
          await run.checkpoint();
          return 'went on';
        },
      },
      {
        about: { timeout: 1 },
        meanwhile: async (runs, { parent }, log) => {
          await runs.commands.ask(parent!, { command: 'pause' });
          asked.resolve();
          await eventsWhen(log, 'p', (all) => all.some(({ type }) => type === 'run.paused'));
          // Longer than the child has, in which it does nothing.
          await new Promise((resolve) => setTimeout(resolve, 1_100));
          await runs.commands.ask(parent!, { command: 'resume' });
        },
      },
    );
    expect(fold(of('parent'))).toMatchObject({
      output: 'went on',
      commands: [{ status: 'applied' }, { status: 'applied' }],
    });
    const order = events.map(({ type, runId }) => `${type} of ${runId === 'p' ? 'parent' : 'child'}`);
    expect(order.indexOf('run.paused of parent')).toBeGreaterThan(0);
    expect(order.indexOf('run.completed of child')).toBeGreaterThan(order.indexOf('run.resumed of parent'));
  });

  test('a server that stops ends both for the same reason', async () => {
    const { of } = await family(
      {
        parent: (run) => run.child('child'),
        child: async (run) => {
          run.custom('works', true);
          await aborted(run);
        },
      },
      {
        meanwhile: async (runs, _, log) => {
          await eventsWhen(log, 'p', (all) => all.some(({ type }) => type === 'custom'));
          await runs.close();
        },
      },
    );
    for (const name of ['parent', 'child']) expect(fold(of(name)).error?.code).toBe('executor_lost');
  });
});
