import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { AppendOptions, Log } from '../log/index.ts';
import { openMemory } from '../log/memory.ts';
import type { RunWriter } from '../protocol/index.ts';
import { type Fault, faultyLog } from './faulty-log.fixture.ts';
import { Runs } from './index.ts';
import { eventsAtEnd, eventsOf, fold, runOnce } from './watching.fixture.ts';

/** A log that notes each append, and lets one through only when `gate` says so. */
function gated(inner: Log, gate: (options: AppendOptions) => Promise<unknown> | undefined) {
  const batches: number[] = [];
  const log = faultyLog(inner, async (options): Promise<Fault> => {
    await gate(options);
    return 'none';
  });
  const append = log.append.bind(log);
  log.append = (threadId, batch, options) => {
    batches.push(batch.length);
    return append(threadId, batch, options);
  };
  return { log, batches };
}

const isOpening = ({ opens }: AppendOptions) => opens !== undefined;

describe('one append per turn of the event loop', () => {
  test('what is told in one turn is one batch, in the order of the calls', async () => {
    const { log, batches } = gated(openMemory(), () => undefined);
    const { events } = await runOnce(log, async (run) => {
      for (let i = 0; i < 50; i++) run.custom('n', i);
      await nextTurn();
      for (let i = 50; i < 80; i++) run.custom('n', i);
    });
    expect(batches[0]).toBe(1);
    expect(batches[1]).toBe(50);
    expect(batches.reduce((a, b) => a + b)).toBe(82);
    expect(batches.length).toBeLessThanOrEqual(4);
    expect(events.slice(1, -1).map((it) => (it.data as { value: number }).value)).toEqual(
      Array.from({ length: 80 }, (_, i) => i),
    );
  });

  test('also what a turn tells behind the answer to the append before', async () => {
    let answer = () => {};
    const gate = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const { log, batches } = gated(openMemory(), (options) => (isOpening(options) ? undefined : gate));
    await runOnce(log, async (run) => {
      run.custom('n', 1);
      await nextTurn();
      await nextTurn();
      run.custom('n', 2);
      answer();
      for (let i = 0; i < 20; i++) await undefined;
      run.custom('n', 3);
      await nextTurn();
      await nextTurn();
    });
    expect(batches).toEqual([1, 1, 2, 1]);
  });

  test('one append is under way at a time, and what comes meanwhile is the next', async () => {
    let under = 0;
    let most = 0;
    const { log, batches } = gated(openMemory(), async () => {
      most = Math.max(most, ++under);
      for (let i = 0; i < 10; i++) await nextTurn();
      under--;
    });
    await runOnce(log, async (run) => {
      for (let i = 0; i < 100; i++) {
        run.custom('n', i);
        await nextTurn();
      }
    });
    expect(most).toBe(1);
    expect(batches.length).toBeLessThan(20);
  });

  test('no batch is larger than a batch may be', async () => {
    const { log, batches } = gated(openMemory(), () => undefined);
    await runOnce(
      log,
      (run) => {
        for (let i = 0; i < 25; i++) run.custom('n', i);
      },
      { limits: { batchEvents: 10 } },
    );
    expect(batches).toEqual([1, 10, 10, 6]);
  });

  test('time is when it was told, not when it was stored', async () => {
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const { log } = gated(openMemory(), (options) => (isOpening(options) ? undefined : gate));
    const ended = runOnce(log, async (run) => {
      run.custom('n', 1);
      const told = Date.now();
      while (Date.now() < told + 20) await nextTurn();
      open();
      return new Date().toISOString();
    });
    const { events, run } = await ended;
    expect(events[1]!.time < (run.output as string)).toBe(true);
  });
});

describe('P10: a log that fails for a while', () => {
  test.each<Fault>(['refused', 'answer lost'])(
    'nothing is lost, nothing stored twice: %s, each time once',
    async (fault) => {
      const seen = new Set<string>();
      const log = faultyLog(openMemory(), ({ producer }) => {
        const key = `${producer?.seq}`;
        if (seen.has(key)) return 'none';
        seen.add(key);
        return fault;
      });
      const { events, run } = await runOnce(log, async (run) => {
        for (let i = 0; i < 20; i++) {
          run.custom('n', i);
          if (i % 7 === 0) await nextTurn();
        }
      });
      expect(events.slice(1, -1).map((it) => (it.data as { value: number }).value)).toEqual(
        Array.from({ length: 20 }, (_, i) => i),
      );
      expect(run.status).toBe('completed');
      expect(seen.size).toBeGreaterThan(2);
    },
  );

  test.each(['log_unavailable', 'storage_full', 'overloaded'] as const)(
    'one that stays away (%s) ends the run: the agent is aborted at once, the end is written when it is back',
    async (code) => {
      const inner = openMemory();
      let away = false;
      const log = faultyLog(inner, () => (away ? 'refused' : 'none'), code);
      let reason: unknown;
      const runs = new Runs(log, { awayMs: 50 });
      runs.register('it', async (run: RunWriter) => {
        await run.say('before');
        away = true;
        run.custom('kept', 1);
        await new Promise((resolve) => run.signal.addEventListener('abort', resolve));
        reason = run.signal.reason;
        for (let i = 0; i < 5; i++) run.custom('dropped', i);
        away = false;
      });
      const { runId } = await runs.start({ agent: 'it' });
      const run = fold(await eventsAtEnd(log, runId));
      expect(reason).toMatchObject({ code: 'log_unavailable' });
      expect(run).toMatchObject({
        status: 'failed',
        error: { code: 'log_unavailable', retryable: true },
        messages: [{ text: 'before' }],
        errors: [{ code: 'events_dropped', message: expect.stringContaining('5 events') }, { code: 'log_unavailable' }],
      });
      const values = (await eventsOf(inner, runId)).filter((it) => it.type === 'custom').map((it) => it.data);
      expect(values).toEqual([{ name: 'kept', value: 1 }]);
      expect(runs.counts.dropped).toBe(5);
    },
  );

  test('one that is closed is not waited for', async () => {
    const log = openMemory();
    const runs = new Runs(log);
    const aborted = Promise.withResolvers<AbortSignal>();
    runs.register('it', async (run: RunWriter) => {
      run.signal.addEventListener('abort', () => aborted.resolve(run.signal));
      await log.close();
      run.custom('n', 1);
      await aborted.promise;
    });
    await runs.start({ agent: 'it' });
    expect((await aborted.promise).reason).toMatchObject({ code: 'log_closed' });
    await runs.close();
    expect(runs.counts.dropped).toBe(1);
  });

  test('one that never answers counts as away too', async () => {
    const never = new Promise<never>(() => {});
    const { log } = gated(openMemory(), (options) => (isOpening(options) ? undefined : never));
    const runs = new Runs(log, { awayMs: 30, graceMs: 10 });
    const aborted = new Promise<AbortSignal>((resolve) => {
      runs.register('it', async (run: RunWriter) => {
        run.custom('n', 1);
        run.signal.addEventListener('abort', () => resolve(run.signal));
        await never;
      });
    });
    await runs.start({ agent: 'it' });
    expect((await aborted).reason).toMatchObject({ code: 'log_unavailable' });
  });
});

describe('under pressure (a log that is slow)', () => {
  const budgetBytes = 20_000;

  test('beyond the budget the deltas of an entity become fewer; their text stays, and so does every order', async () => {
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const { log } = gated(openMemory(), (options) => (isOpening(options) ? undefined : gate));
    const count = 1_000;
    const { events, run } = await runOnce(
      log,
      async (run) => {
        for (let i = 0; i < count; i++) {
          run.emit('message.delta', { messageId: i % 2 ? 'odd' : 'even', delta: `"${i}" 👀,` });
          if (i === count / 2) run.custom('half', i);
          // Part of it is under way by now, and stays as it is.
          if (i === 150) await nextTurn();
        }
        open();
      },
      { budgetBytes },
    );
    const text = (odd: number, from = 0, to = count) =>
      Array.from({ length: count }, (_, i) => i)
        .filter((i) => i % 2 === odd && i >= from && i < to)
        .map((i) => `"${i}" 👀,`)
        .join('');
    expect(run.messages.map((it) => [it.id, it.text])).toEqual([
      ['even', text(0)],
      ['odd', text(1)],
    ]);
    expect(events.length).toBeLessThan(200);
    const half = events.findIndex((it) => it.type === 'custom');
    expect(fold(events.slice(0, half)).messages.map((it) => it.text)).toEqual([
      text(0, 0, count / 2 + 1),
      text(1, 0, count / 2 + 1),
    ]);
    expect(run).toMatchObject({ status: 'completed', errors: [] });
  });

  test('awaitable calls wait, so that a fast source is read no faster than the log takes it', async () => {
    let read = 0;
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const { log } = gated(openMemory(), (options) => (isOpening(options) ? undefined : gate));
    const inner = runOnce(
      log,
      (run) =>
        run.say(
          (async function* () {
            for (; read < 2_000; read++) {
              if (read % 100 === 99) await nextTurn();
              yield 'a piece of text ';
            }
          })(),
        ),
      { budgetBytes },
    );
    let before = -1;
    while (before !== read || read === 0) {
      before = read;
      for (let i = 0; i < 20; i++) await nextTurn();
    }
    expect(read).toBeLessThan(500);
    open();
    const { run } = await inner;
    expect(run.messages[0]!.text).toBe('a piece of text '.repeat(2_000));
  });

  test('so do tools, one after the other', async () => {
    let called = 0;
    const open = Promise.withResolvers<void>();
    const { log } = gated(openMemory(), (options) => (isOpening(options) ? undefined : open.promise));
    const inner = runOnce(
      log,
      async (run) => {
        for (; called < 500; called++) await run.tool('t', {}, () => 'a result');
      },
      { budgetBytes },
    );
    let before = -1;
    while (before !== called || called === 0) {
      before = called;
      for (let i = 0; i < 20; i++) await nextTurn();
    }
    expect(called).toBeLessThan(50);
    open.resolve();
    expect((await inner).run).toMatchObject({ status: 'completed', errors: [] });
  });

  test('a burst of several budgets in one turn is stored whole by a log that is well', async () => {
    const count = (4 * budgetBytes) / 150;
    const { events, run } = await runOnce(
      openMemory(),
      (run) => {
        for (let i = 0; i < count; i++) run.custom('n', i);
      },
      { budgetBytes },
    );
    expect(events.filter((it) => it.type === 'custom').length).toBeGreaterThanOrEqual(count);
    expect(run).toMatchObject({ status: 'completed', errors: [] });
  });

  test('an agent that cannot be slowed down loses its run, not the server’s memory', async () => {
    const runs = new Runs(openMemory(), { budgetBytes });
    let pushed = 0;
    runs.register('it', (run: RunWriter) => {
      while (!run.signal.aborted && pushed < 10_000) run.custom('n', pushed++);
    });
    const { runId } = await runs.start({ agent: 'it' });
    // Each has more than 150 bytes.
    expect(pushed).toBeLessThan((8 * budgetBytes) / 150);
    await expect.poll(async () => (await runs.snapshot(runId)).error).toMatchObject({ code: 'log_unavailable' });
  });
});

describe('P9: a run that is full', () => {
  test('is warned once at 80 %, stopped at the limit, and has its end', async () => {
    const { events, run } = await runOnce(
      openMemory(),
      async (run) => {
        for (let i = 0; !run.signal.aborted; i++) {
          run.custom('n', i);
          await nextTurn();
        }
      },
      { limits: { runEvents: 50 } },
    );
    expect(events).toHaveLength(50);
    expect(events.filter((it) => it.type === 'error.reported').map((it) => [it.seq, it.data.error])).toEqual([
      [41, expect.objectContaining({ code: 'run_nearly_full' })],
      [49, expect.objectContaining({ code: 'events_dropped' })],
    ]);
    expect(run).toMatchObject({ status: 'failed', error: { code: 'run_full' } });
  });
});
