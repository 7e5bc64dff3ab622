import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import type { Log } from '../log/index.ts';
import { openMemory } from '../log/memory.ts';
import { type RunInput, type RunWriter, TelltaleError } from '../protocol/index.ts';
import { faultyLog } from './faulty-log.fixture.ts';
import { type AgentFunction, Runs } from './index.ts';
import { eventsAtEnd, eventsWhen } from './watching.fixture.ts';

/** A run whose agent is `fn`, which is to end by itself. */
async function begin(fn: AgentFunction, log: Log = openMemory()) {
  // Longer than any test: nobody comes to his end here because he is left behind.
  const runs = new Runs(log, { graceMs: 60_000 });
  runs.register('it', fn);
  const { runId } = await runs.start({ agent: 'it' });
  const say = (input: unknown) => runs.inputs.send(runId, { input, by: 'ada' });
  const output = async () => (await eventsAtEnd(log, runId)).at(-1)!.data.output;
  return { runs, runId, say, output };
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const heapUsed = (): number => {
  collect();
  return process.memoryUsage().heapUsed;
};

async function take(inputs: AsyncIterable<RunInput>, count: number): Promise<unknown[]> {
  const taken: unknown[] = [];
  for await (const { input } of inputs) if (taken.push(input) === count) break;
  return taken;
}

describe('run.inputs()', () => {
  test('each iterator has everything from the beginning of the run, once and in order, however late it begins', async () => {
    const { say, output } = await begin(async (run: RunWriter) => {
      const early = take(run.inputs(), 50);
      const nested = run.tool('listen', {}, (tool) => take(tool.inputs(), 50));
      await early;
      return [await early, await nested, await take(run.inputs(), 50)];
    });
    const all = Array.from({ length: 50 }, (_, i) => ({ i }));
    for (const it of all) await say(it);
    expect(await output()).toEqual([all, all, all]);
  });

  test('what is said to a run that waits for its turn is heard when it begins', async () => {
    const log = openMemory();
    const runs = new Runs(log, { concurrency: 1 });
    runs.register('it', (run: RunWriter) => take(run.inputs(), 1));
    const [first, second] = [await runs.start({ agent: 'it' }), await runs.start({ agent: 'it' })];
    expect(second.status).toBe('queued');
    await runs.inputs.send(second.runId, { input: 'early' });
    await runs.inputs.send(first.runId, { input: 'go' });
    expect((await eventsAtEnd(log, second.runId)).map(({ type }) => type)).toEqual([
      ...['run.queued', 'input.received', 'run.started', 'run.completed'],
    ]);
    expect((await runs.snapshot(second.runId)).output).toEqual(['early']);
  });

  test('what is said has an id, and who said it', async () => {
    const { say, output } = await begin(async (run: RunWriter) => {
      for await (const it of run.inputs()) return it;
    });
    const { inputId } = await say('hello');
    expect(await output()).toEqual({ inputId, input: 'hello', by: 'ada' });
  });

  test('a loop ends quietly when the run is cancelled; the agent still comes to its own end', async () => {
    const said: unknown[] = [];
    const { runs, runId, say, output } = await begin(async (run: RunWriter) => {
      for await (const { input } of run.inputs()) {
        said.push(input);
        if (said.length === 1) void runs.commands.ask(runId, { command: 'cancel' });
      }
      said.push(run.signal.aborted);
    });
    await say(1);
    await output();
    expect(said).toEqual([1, true]);
  });

  test.each(['cancel', 'an end of its own'])('a loop that a pause holds ends quietly, too: %s', async (how) => {
    const goOn = Promise.withResolvers<void>();
    const log = openMemory();
    const heard = Promise.withResolvers<unknown[]>();
    const { runs, runId, say } = await begin(async (run: RunWriter) => {
      heard.resolve(take(run.inputs(), 2));
      // A listener beside the work, which nobody waits for.
      void take(run.inputs(), 2);
      await Promise.race([goOn.promise, new Promise((resolve) => run.signal.addEventListener('abort', resolve))]);
    }, log);
    await runs.commands.ask(runId, { command: 'pause' });
    await eventsWhen(log, runId, (events) => events.some(({ type }) => type === 'run.paused'));
    await say('held');
    await nextTurn();
    if (how === 'cancel') await runs.commands.ask(runId, { command: 'cancel' });
    goOn.resolve();
    await eventsAtEnd(log, runId);
    expect(await heard.promise).toEqual([]);
  });

  test('return() lets go of a next() that waits, and so does the end of the run', async () => {
    const pending: Promise<unknown>[] = [];
    const { output } = await begin(async (run: RunWriter) => {
      const [left, kept] = [run.inputs()[Symbol.asyncIterator](), run.inputs()[Symbol.asyncIterator]()];
      const next = left.next();
      pending.push(kept.next());
      return [await left.return?.(), await next, await left.next()];
    });
    const done = { done: true };
    expect(await output()).toEqual([done, done, done]);
    expect(await Promise.all(pending)).toEqual([{ done: true, value: undefined }]);
  });

  test('an iterator that is far behind costs no memory but its place: the log is the buffer', async () => {
    const { say, output } = await begin(async (run: RunWriter) => {
      const slow = run.inputs()[Symbol.asyncIterator]();
      await slow.next();
      for await (const { input } of run.inputs()) if (input === 'last') break;
      let behind = 0;
      while (!(await slow.next()).done && ++behind < 200);
      return behind;
    });
    await say('first');
    const before = heapUsed();
    for (let i = 0; i < 199; i++) await say('x'.repeat(100_000));
    // 20 MB were said; the blocks of the memory log are bytes outside the heap.
    expect(heapUsed() - before).toBeLessThan(5_000_000);
    await say('last');
    expect(await output()).toBe(200);
  });

  test('a log that cannot be read for a while only makes it wait', async () => {
    const log = openMemory();
    let away = true;
    let reads = 0;
    const flaky = Object.assign(
      faultyLog(log, () => 'none'),
      {
        read: async (...args: Parameters<Log['read']>) => {
          // The watch of the run reads too, but never one event alone.
          if (args[2] === 1 && away && ++reads) throw new TelltaleError('log_unavailable', 'away (injected)');
          return log.read(...args);
        },
      },
    );
    const { say, output } = await begin((run: RunWriter) => take(run.inputs(), 1), flaky);
    await say('x');
    while (reads === 0) await nextTurn();
    away = false;
    expect(await output()).toEqual(['x']);
  });

  test('an answer that was lost on the way is safe to send again under its key: it is heard once', async () => {
    const log = openMemory();
    let lost = 1;
    const flaky = faultyLog(log, ({ once }) => (once?.startsWith('said:') && lost-- > 0 ? 'answer lost' : 'none'));
    const { runs, runId, output } = await begin((run: RunWriter) => take(run.inputs(), 2), flaky);
    const said = { input: 'a', idempotencyKey: 'k' };
    await expect(runs.inputs.send(runId, said)).rejects.toMatchObject({ code: 'log_unavailable', retryable: true });
    expect(await runs.inputs.send(runId, said)).toMatchObject({ seq: 2, duplicate: true });
    await runs.inputs.send(runId, { input: 'b' });
    expect(await output()).toEqual(['a', 'b']);
  });

  test('a run that is full takes no input: its end needs the room', async () => {
    const log = openMemory();
    const runs = new Runs(log, { limits: { runEvents: 5 } });
    const { runId } = await runs.start({ agent: 'mine', mode: 'remote' });
    await runs.inputs.send(runId, { input: 1 });
    await runs.inputs.send(runId, { input: 2 });
    await expect(runs.inputs.send(runId, { input: 3 })).rejects.toMatchObject({ code: 'run_full' });
  });
});
