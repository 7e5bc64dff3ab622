/** Starts, ends, failures, cancels and the end of the server in any order, over a log whose appends take their time. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Log } from '../log/index.ts';
import { openMemory } from '../log/memory.ts';
import { isTerminal, type KnownEvent, type TelltaleEvent } from '../protocol/index.ts';
import { type Fault, faultyLog } from './faulty-log.fixture.ts';
import { Runs } from './index.ts';
import { eventsOf, eventsWhen } from './watching.fixture.ts';

const THREAD = 't';
const TOTAL = 2;
/** `free` shares its line with nobody here. */
const LIMITS = { one: 1, two: 2, free: undefined } as const;
type Name = keyof typeof LIMITS;

interface Program {
  readonly agent: Name;
  readonly does: 'return' | 'throw' | 'call' | 'stay';
  /** After so many turns; `undefined`: not. */
  readonly cancelAfter: number | undefined;
}

const program: fc.Arbitrary<Program> = fc.record({
  agent: fc.constantFrom<Name>('one', 'two', 'free'),
  does: fc.constantFrom('return', 'throw', 'call', 'stay'),
  cancelAfter: fc.option(fc.nat({ max: 8 }), { nil: undefined }),
});

test('P10: never more than the limits, each line in order, nobody left behind, one end each, and no start after a cancel', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler({ act: slowly }),
      fc.array(program, { minLength: 1, maxLength: 7 }),
      fc.boolean(),
      async (s, programs, closes) => {
        const events = await s.waitFor(play(s, programs, closes));
        check(events, programs, closes);
      },
    ),
    { numRuns: 300 },
  );
}, 60_000);

/** What an outbox does with a turn of the event loop comes between two turns here. */
async function slowly(next: () => Promise<void>): Promise<void> {
  await next();
  await nextTurn();
}

/** Everything that the log says at the end. All runs share a thread, so its numbers order all that happened. */
async function play(s: fc.Scheduler, programs: readonly Program[], closes: boolean): Promise<TelltaleEvent[]> {
  const log = openMemory();
  const turn = (label: string) => s.schedule(Promise.resolve(), label);
  const slow = faultyLog(log, async ({ runId }): Promise<Fault> => {
    await turn(`append of ${runId}`);
    return 'none';
  });
  const runs = new Runs(slow, { concurrency: TOTAL, graceMs: 1_000 });
  for (const [name, concurrency] of Object.entries(LIMITS)) {
    runs.register(
      name,
      async (run, does: Program['does']) => {
        await turn(`${run.runId} works`);
        if (does === 'throw') throw new Error('no');
        if (does === 'call') await run.child('leaf');
        if (does === 'stay' && !run.signal.aborted) {
          await new Promise((resolve) => run.signal.addEventListener('abort', resolve));
        }
      },
      concurrency === undefined ? {} : { concurrency },
    );
  }
  runs.register('leaf', async (run) => void (await turn(`${run.runId} is a leaf`)));
  const starts = programs.map(({ agent, does }, index) =>
    runs.start({ agent, input: does, runId: `r${index}`, threadId: THREAD }),
  );
  const cancels = programs.map(async ({ cancelAfter, does }, index) => {
    await starts[index];
    // Who stays does so until somebody says otherwise.
    if (cancelAfter === undefined && (does !== 'stay' || closes)) return;
    for (let left = cancelAfter ?? 0; left >= 0; left--) await turn(`cancel r${index} in ${left}`);
    await runs.commands.ask(`r${index}`, { command: 'cancel' });
  });
  await Promise.all(starts);
  if (closes) await turn('close');
  else await Promise.all(cancels);
  const over = closes ? runs.close() : allEnded(log, programs.length);
  await Promise.all([over, ...cancels]);
  await runs.close();
  return eventsOf(log, THREAD);
}

const allEnded = (log: Log, count: number): Promise<TelltaleEvent[]> =>
  eventsWhen(log, THREAD, (events) => {
    const opened = new Set(events.map(({ runId }) => runId));
    const ended = events.filter(({ type }) => isTerminal(type)).length;
    return opened.size >= count && ended === opened.size;
  });

function check(log: readonly TelltaleEvent[], programs: readonly Program[], closes: boolean): void {
  const events = log as readonly KnownEvent[];
  const agentOf = new Map<string, string>();
  const underWay = new Set<string>();
  const roots = (name?: string) =>
    [...underWay].filter((id) => /^r\d$/.test(id) && (name === undefined || agentOf.get(id) === name)).length;
  const queued: Record<string, string[]> = { one: [], two: [], free: [] };
  const ends = new Map<string, number>();
  const cancelled = new Set<string>();
  for (const { type, runId, data, parentRunId } of events) {
    expect(ends.has(runId), `${type} after the end of ${runId}`).toBe(false);
    if (type === 'run.queued' && !agentOf.has(runId)) queued[data.agent]!.push(runId);
    if (type === 'run.queued' || type === 'run.started') agentOf.set(runId, data.agent);
    if (type === 'run.started') {
      expect(cancelled.has(runId), `${runId} starts after it was cancelled`).toBe(false);
      underWay.add(runId);
      expect(roots()).toBeLessThanOrEqual(TOTAL);
      for (const [name, limit = TOTAL] of Object.entries(LIMITS)) expect(roots(name)).toBeLessThanOrEqual(limit);
      if (parentRunId !== undefined) expect(underWay.has(parentRunId)).toBe(true);
    }
    if (type === 'control.requested') cancelled.add(runId);
    if (isTerminal(type)) {
      ends.set(runId, (ends.get(runId) ?? 0) + 1);
      underWay.delete(runId);
      if (type === 'run.failed' && data.error.code === 'executor_lost') expect(closes).toBe(true);
    }
  }
  expect([...agentOf.keys()].filter((id) => ends.get(id) !== 1)).toEqual([]);
  expect([...ends.keys()].filter((id) => /^r\d$/.test(id))).toHaveLength(programs.length);
  // In the order of the calls of `start`, whatever order their openings were stored in.
  for (const [name, waited] of Object.entries(queued)) {
    const begun = events.filter(({ type, runId }) => type === 'run.started' && waited.includes(runId));
    const order = begun.map(({ runId }) => Number(runId.slice(1)));
    if (LIMITS[name as Name] === 1 && !closes) expect(order).toEqual([...order].sort((a, b) => a - b));
  }
}
