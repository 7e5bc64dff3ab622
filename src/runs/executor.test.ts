import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Log } from '../log/index.ts';
import { openMemory } from '../log/memory.ts';
import { isTerminal, type RunWriter, TelltaleError } from '../protocol/index.ts';
import { type Fault, faultyLog } from './faulty-log.fixture.ts';
import { type AgentFunction, Runs, type RunsOptions } from './index.ts';
import { eventsAtEnd, eventsOf, eventsWhen, fold, runOnce } from './watching.fixture.ts';

const never = new Promise<never>(() => {});

async function* stuck(): AsyncGenerator<string> {
  yield 'a';
  await never;
}

const aborted = (run: RunWriter) =>
  new Promise<void>((resolve) => run.signal.addEventListener('abort', () => resolve()));

/** Starts an agent, cancels it once it runs, and waits for the run's end. */
async function cancelled(fn: AgentFunction, options: RunsOptions = {}, log: Log = openMemory()) {
  const runs = new Runs(log, options);
  runs.register('it', fn);
  const { runId } = await runs.start({ agent: 'it' });
  const answer = await runs.commands.ask(runId, { command: 'cancel', reason: 'enough', by: 'ann' });
  const events = await eventsAtEnd(log, runId);
  return { runs, runId, log, answer, events, run: fold(events) };
}

describe('P10: exactly one terminal event, whatever the agent does', () => {
  test.each<[string, AgentFunction, object]>([
    ['returns a value', () => ({ a: 1 }), { type: 'run.completed', data: { output: { a: 1 } } }],
    ['returns nothing', async () => {}, { type: 'run.completed', data: { durationMs: expect.any(Number) } }],
    [
      'throws',
      () => {
        throw new Error('no');
      },
      { data: { error: { code: 'agent_failed', message: 'no' } } },
    ],
    [
      'rejects later',
      () => nextTurn().then(() => Promise.reject(new Error('no'))),
      { data: { error: { message: 'no' } } },
    ],
    [
      'throws an error of ours',
      () => {
        throw new TelltaleError('run_closed', 'x');
      },
      { data: { error: { code: 'agent_failed' } } },
    ],
    [
      'throws a string',
      () => {
        throw 'words';
      },
      { data: { error: { message: 'words' } } },
    ],
    [
      'throws undefined',
      () => Promise.reject(undefined),
      { data: { error: { message: expect.stringContaining('undefined') } } },
    ],
    [
      'throws what cannot be read',
      () => {
        throw {
          get message() {
            throw 1;
          },
        };
      },
      { data: { error: { code: 'agent_failed' } } },
    ],
    ['returns what is no JSON', () => ({ n: 1n }), { data: { output: { n: '1' } } }],
    [
      'returns too much',
      () => 'x'.repeat(300 * 1024),
      { data: { output: { truncated: true, bytes: 300 * 1024 + 2 } } },
    ],
    [
      'is a generator that throws',
      async function* () {
        yield 'a';
        throw new Error('no');
      },
      { data: { error: { message: 'no' } } },
    ],
  ])('%s', async (_name, fn, end) => {
    const { events } = await runOnce(openMemory(), fn);
    expect(events.filter((it) => isTerminal(it.type))).toEqual([events.at(-1)]);
    expect(events.at(-1)).toMatchObject(end);
  });

  test('a run invents no usage and no cost', async () => {
    const { events } = await runOnce(openMemory(), () => 1);
    expect(Object.keys(events.at(-1)!.data)).toEqual(['output', 'durationMs']);
  });

  test('a stack is kept only where the server is told to', async () => {
    const fails = (run: RunWriter) =>
      run.tool('t', {}, () => {
        throw new Error('no');
      });
    const { run: without } = await runOnce(openMemory(), fails);
    const { run: kept } = await runOnce(openMemory(), fails, { keepStacks: true });
    expect([without.error?.stack, without.tools[0]?.error?.stack]).toEqual([undefined, undefined]);
    expect([kept.error?.stack, kept.tools[0]?.error?.stack]).toEqual([
      expect.stringContaining('executor.test'),
      expect.any(String),
    ]);
  });

  test('scopes that are open at the end are closed by it; what comes later is dropped and counted', async () => {
    let finish = () => {};
    const late = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const done = Promise.withResolvers<void>();
    const log = openMemory();
    const { run, runs, events } = await runOnce(log, (run) => {
      run.agent('slow', async () => {
        await run.tool('t', {}, () => late);
        done.resolve();
      });
      run.step('s', () => late);
    });
    expect(run).toMatchObject({
      status: 'completed',
      agents: [{ status: 'interrupted' }],
      tools: [{ status: 'interrupted' }],
      steps: [{ status: 'interrupted' }],
    });
    finish();
    await done.promise;
    await nextTurn();
    expect(await eventsOf(log, run.runId)).toHaveLength(events.length);
    expect(runs.counts.dropped).toBe(3);
  });

  test('an end on its way to a slow log stays what it is, whatever comes now', async () => {
    const inner = openMemory();
    const slow = Promise.withResolvers<void>();
    const ending = Promise.withResolvers<void>();
    const log = faultyLog(inner, async ({ closes }): Promise<Fault> => {
      if (closes) ending.resolve();
      if (closes) await slow.promise;
      return 'none';
    });
    const runs = new Runs(log);
    let signal: AbortSignal | undefined;
    runs.register('it', (run: RunWriter) => {
      signal = run.signal;
    });
    const { runId } = await runs.start({ agent: 'it' });
    await ending.promise;
    const closed = runs.close();
    slow.resolve();
    await closed;
    expect([fold(await eventsOf(inner, runId)).status, signal?.aborted]).toEqual(['completed', false]);
  });
});

describe('P10: cancel', () => {
  test('aborts the signal, lets the agent tidy up, and ends as run.cancelled with who, why and which command', async () => {
    const { answer, run, events } = await cancelled(async (run: RunWriter) => {
      await aborted(run);
      expect(run.signal.reason).toMatchObject({ name: 'AbortError', message: 'The run was cancelled: enough' });
      await run.tool('tidy', {}, () => 'done');
      run.signal.throwIfAborted();
    });
    expect(answer).toEqual({ commandId: expect.any(String), seq: expect.any(Number), status: 'running' });
    expect(events.at(-1)).toMatchObject({
      type: 'run.cancelled',
      data: { reason: 'enough', by: 'ann', commandId: answer.commandId, durationMs: expect.any(Number) },
    });
    expect(run).toMatchObject({ tools: [{ name: 'tidy', status: 'completed' }], commands: [{ status: 'applied' }] });
  });

  test.each<[string, AgentFunction]>([
    [
      'returns all the same',
      async (run: RunWriter) => {
        await aborted(run);
        return 'partial';
      },
    ],
    [
      'fails in another way',
      async (run: RunWriter) => {
        await aborted(run);
        throw new Error('cleanup failed');
      },
    ],
    [
      'waits at a checkpoint',
      async (run: RunWriter) => {
        for (;;) await run.checkpoint();
      },
    ],
    ['waits for a stream that is stuck', (run: RunWriter) => run.say(stuck())],
    [
      'floats what it streams',
      async (run: RunWriter) => {
        run.say(stuck());
        await aborted(run);
      },
    ],
    [
      'is a generator that goes on',
      async function* () {
        for (;;) {
          yield 'more';
          await nextTurn();
        }
      },
    ],
    [
      'is a generator that never lets go',
      async function* () {
        for (;;) {
          try {
            yield 'more';
            await nextTurn();
          } catch {}
        }
      },
    ],
  ])('an agent that %s ends as cancelled, without waiting for the grace', async (_name, fn) => {
    const { run } = await cancelled(fn, { graceMs: 3_600_000 });
    expect(run).toMatchObject({ status: 'cancelled' });
  });

  test('an agent that never settles is cancelled over its head after the grace; what it says later is dropped', async () => {
    let wake = () => {};
    const { run, runs, log, events } = await cancelled(
      async (run: RunWriter) => {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        run.custom('late', 1);
      },
      { graceMs: 20 },
    );
    expect(run.status).toBe('cancelled');
    wake();
    await nextTurn();
    await nextTurn();
    expect(runs.counts.dropped).toBe(1);
    expect(await eventsOf(log, run.runId)).toHaveLength(events.length);
  });

  test('an agent that waits for room in a slow log is cancelled as fast as any other', async () => {
    const inner = openMemory();
    const slow = Promise.withResolvers<void>();
    const log = faultyLog(inner, async ({ opens }): Promise<Fault> => {
      if (!opens) await slow.promise;
      return 'none';
    });
    const runs = new Runs(log, { budgetBytes: 2_000, graceMs: 3_600_000 });
    const full = Promise.withResolvers<void>();
    const settled = Promise.withResolvers<unknown>();
    runs.register('it', (run: RunWriter) => {
      for (let i = 0; i < 12; i++) run.custom('n', i);
      full.resolve();
      const waits = run.tool('t', {}, () => 1).then(() => run.signal.throwIfAborted());
      waits.catch(settled.resolve);
      return waits;
    });
    const { runId } = await runs.start({ agent: 'it' });
    await full.promise;
    await new Runs(inner).commands.ask(runId, { command: 'cancel' });
    expect(await settled.promise).toMatchObject({ name: 'AbortError' });
    slow.resolve();
    expect(fold(await eventsAtEnd(inner, runId)).status).toBe('cancelled');
  });

  test('a cancel is for one run, not for its thread', async () => {
    const log = openMemory();
    const runs = new Runs(log);
    const other = Promise.withResolvers<string>();
    runs.register('it', (_run, input) => input ?? other.promise);
    runs.register('waits', aborted);
    await runs.start({ agent: 'it', runId: 'a', threadId: 't' });
    await runs.start({ agent: 'waits', runId: 'b', threadId: 't' });
    await runs.commands.ask('b', { command: 'cancel' });
    await eventsWhen(log, 't', (events) => events.some((it) => it.type === 'run.cancelled'));
    other.resolve('done');
    const events = await eventsWhen(log, 't', (all) => all.filter((it) => isTerminal(it.type)).length === 2);
    expect([fold(events, 'a').status, fold(events, 'b').status]).toEqual(['completed', 'cancelled']);
  });

  test('asking twice is asking once; the second command is void', async () => {
    const log = openMemory();
    const runs = new Runs(log);
    runs.register('it', aborted);
    const { runId } = await runs.start({ agent: 'it' });
    const [first] = await Promise.all([
      runs.commands.ask(runId, { command: 'cancel' }),
      runs.commands.ask(runId, { command: 'cancel' }),
    ]);
    const run = fold(await eventsAtEnd(log, runId));
    expect(run.commands.map((it) => [it.id === first!.commandId, it.status])).toEqual([
      [true, 'applied'],
      [false, 'void'],
    ]);
  });

  test('a cancel from elsewhere arrives even if every wake-up is lost (within LATENESS_MS)', async () => {
    const log = openMemory();
    const deaf: Log = Object.assign(Object.create(log), {
      append: log.append.bind(log),
      read: log.read.bind(log),
      runs: log.runs,
      leases: log.leases,
      follow: async () => () => {},
    });
    const runs = new Runs(deaf);
    runs.register('it', aborted);
    const { runId } = await runs.start({ agent: 'it' });
    await nextTurn();
    const began = performance.now();
    await new Runs(log).commands.ask(runId, { command: 'cancel' });
    expect(fold(await eventsAtEnd(log, runId)).status).toBe('cancelled');
    expect(performance.now() - began).toBeLessThan(2_500);
  });

  test('racing the natural end, 300 times: one end, and the answer never contradicts it', async () => {
    const log = openMemory();
    const runs = new Runs(log);
    runs.register('it', async (run: RunWriter, turns: number) => {
      for (let i = 0; i < turns; i++) {
        run.custom('n', i);
        await nextTurn();
      }
    });
    const ends = new Map<string, number>();
    for (let round = 0; round < 300; round++) {
      const { runId } = await runs.start({ agent: 'it', input: round % 5 });
      for (let i = 0; i < round % 7; i++) await nextTurn();
      const answer = await runs.commands.ask(runId, { command: 'cancel' });
      const events = await eventsAtEnd(log, runId);
      expect(events.filter((it) => isTerminal(it.type))).toEqual([events.at(-1)]);
      const { status, commands } = fold(events);
      const late = answer.commandId === undefined;
      if (late) expect(answer.status).toBe(status);
      else expect(commands).toMatchObject([{ status: status === 'cancelled' ? 'applied' : 'void' }]);
      const end = late ? 'ended before' : status;
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
    // The race was one: it went both ways.
    expect([...ends.keys()].sort()).toEqual(expect.arrayContaining(['cancelled', 'ended before']));
  });
});

describe('P10: the lease', () => {
  test('an executor that was taken for dead is told, stops its agent and writes nothing more', async () => {
    const log = openMemory();
    const fenced: Log = Object.assign(Object.create(log), {
      runs: log.runs,
      leases: log.leases,
      read: log.read.bind(log),
      follow: log.follow.bind(log),
      append: (threadId: string, batch: never, options: { fence?: number }) =>
        log.append(threadId, batch, {
          ...options,
          runId,
          ...(options.fence !== undefined && { fence: options.fence + 1 }),
        }),
    });
    const runId = 'fenced';
    const reason = Promise.withResolvers<unknown>();
    const runs = new Runs(fenced);
    runs.register('it', async (run: RunWriter) => {
      run.custom('lost', 1);
      await aborted(run);
      reason.resolve(run.signal.reason);
      run.custom('lost', 2);
    });
    await runs.start({ agent: 'it', runId });
    expect(await reason.promise).toMatchObject({ code: 'lease_fenced' });
    await runs.close();
    expect((await eventsOf(log, runId)).map((it) => it.type)).toEqual(['run.started']);
    expect(runs.counts.dropped).toBe(2);
  });
});
