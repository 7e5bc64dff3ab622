/** What lists tell of the events of runs: what the fold of the log says. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { detailsOf, foldRun, type Log, type RunDetails, type RunRecord, summaryOf } from '../log/index.ts';
import { openMemory } from '../log/memory.ts';
import { append, custom, type Draft, delta, END } from './drafts.fixture.ts';
import { Hub } from './index.ts';
import { RecordedSink, RecordedViewer, until } from './recording.fixture.ts';
import { RunFolds } from './run-folds.ts';
import { RunLists } from './run-lists.ts';
import { scheduled, settle } from './scheduled-log.fixture.ts';
import { Turn } from './turn.ts';
import { hubOn } from './watch.fixture.ts';
import { Wheel } from './wheel.ts';

const NEVER = 1e9;
const by = { id: 'a-1', name: 'A', path: 'a-1' };
const error = { code: 'x', message: 'y' };
const NAMED: Draft = ['run.started', { agent: 'a', input: 'How much?', metadata: { more: 'x'.repeat(99) } }];
const plan = (...ids: string[]): Draft => ['plan.updated', { steps: ids.map((id) => ({ id, name: `Do ${id}` })) }];
const step = (id: string): Draft => ['step.started', { stepId: id, name: `Do ${id}` }];
const paid = (callId: string): Draft => [
  'llm.completed',
  { callId, cost: { amount: 0.1, currency: 'EUR', source: 's' }, usage: { inputTokens: 1 } },
];
/** A bit of everything that rows tell, and of what they do not. */
const SAYINGS: readonly (readonly Draft[])[] = [
  [plan('1', '2', '3')],
  [plan('3', '4')],
  [step('1'), delta('a')],
  [step('2')],
  [step('z'), ['step.completed', { stepId: 'z', result: 'r' }]],
  [['step.failed', { stepId: '1', error }]],
  [
    ['agent.started', { input: 'i' }, by],
    ['agent.completed', { output: 'o' }, by],
  ],
  [['agent.failed', { error }, { ...by, id: 'b-1' }]],
  [paid('1')],
  [['usage.updated', { cost: { amount: 7, currency: 'USD', source: 's' } }]],
  [['tool.failed', { toolCallId: 't', error }], delta('b')],
  [['error.reported', { error }]],
  [['approval.requested', { approvalId: 'q', prompt: '?' }]],
  [['approval.resolved', { approvalId: 'q', decision: 'approve' }]],
  [custom('nothing'), delta('c')],
];

/** As the one fold says it. */
async function summed(log: Log, run: RunRecord): Promise<object> {
  const details: RunDetails = { ...detailsOf(await foldRun(log, run)), lastAt: '2026-11-20T18:00:00.000Z' };
  return summaryOf(run, details);
}

/** What a client makes of the frames. */
function shown({ frames }: RecordedViewer): Map<string, RunDetails & { runId: string; status: string }> {
  const runs = new Map();
  for (const { event, data } of frames) {
    const run = JSON.parse(data);
    if (event === 'stream.run') runs.set(run.runId, run);
    if (event === 'stream.left') runs.delete(run.runId);
  }
  return runs;
}

async function list(hub: Pick<Hub, 'openRuns'>): Promise<RecordedViewer> {
  const viewer = new RecordedViewer('v');
  await hub.openRuns({ query: { limit: 50 } }, new RecordedSink(viewer));
  return viewer;
}

/** A log that counts its reads, and holds them while it is told to. */
function watched(log: Log) {
  const reads: string[] = [];
  const about = { reads, hold: undefined as Promise<void> | undefined, failing: false };
  const read: Log['read'] = async (threadId, ...more) => {
    reads.push(threadId);
    await about.hold;
    if (about.failing) throw new Error('away');
    return log.read(threadId, ...more);
  };
  return Object.assign(about, { log: { ...delegated(log), read } as Log });
}

const delegated = (log: Log) => ({
  ...log,
  durability: log.durability,
  append: log.append.bind(log),
  read: log.read.bind(log),
  head: log.head.bind(log),
  follow: log.follow.bind(log),
  close: log.close.bind(log),
});

/** Folds a run, and counts the turns of the event loop that pass meanwhile. */
async function foldOf(log: Log, runId: string) {
  const folds = new RunFolds(log, () => {});
  const run = (await log.runs.get(runId))!;
  let turns = 0;
  let over = false;
  const turn = () => {
    turns++;
    if (!over) setImmediate(turn);
  };
  setImmediate(turn);
  const [told] = await folds.wait([run], 10_000);
  over = true;
  return { told, turns };
}

const action = fc.record({
  at: fc.constantFrom('a', 'b', 'c'),
  say: fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...SAYINGS) }, { weight: 1, arbitrary: fc.constant([END]) }),
  next: fc.constantFrom('nothing', 'turn', 'check', 'erase a'),
});

describe('the rows of a live list (P7)', () => {
  test('are the fold of the log when nothing happens any more, whatever came between', async () => {
    const property = fc.asyncProperty(
      fc.scheduler(),
      fc.array(action, { maxLength: 25, size: 'max' }),
      fc.boolean(),
      async (s, actions, hintsOnly) => {
        const memory = openMemory();
        const around = { log: scheduled(memory, s, hintsOnly), turn: new Turn(), heartbeats: new Wheel(NEVER) };
        const errors: unknown[] = [];
        const lists = new RunLists(
          { ...around, heartbeatMs: NEVER, stalledMs: NEVER, onError: (it) => errors.push(it) },
          new Wheel(NEVER),
        );
        // Two runs in one thread, and one beside them.
        const thread = (runId: string): string => (runId === 'c' ? 'c' : 't');
        for (const id of ['a', 'b', 'c']) await append(memory, id, [NAMED], thread(id));
        const changing = (async () => {
          for (const { at, say, next } of actions) {
            await s.schedule(Promise.resolve(), 'somebody writes');
            // Some are refused: an ended run takes nothing more.
            await append(memory, at, say, thread(at)).catch(() => {});
            if (next === 'turn') await new Promise((resolve) => setImmediate(resolve));
            if (next === 'check') lists.tick();
            if (next === 'erase a') await memory.retention.erase('a').catch(() => {});
          }
        })();
        const viewers = [1, 2].map((n) => {
          const viewer = new RecordedViewer(`v${n}`);
          const comes = s.schedule(Promise.resolve(), 'a viewer comes');
          const sink = new RecordedSink(viewer);
          return { viewer, opened: comes.then(() => lists.open({ query: { limit: 50 } }, sink)) };
        });
        await settle(s);
        await changing;
        // One finds what is new, the next what was folded behind a status that was told at once.
        for (let look = 0; look < 2; look++) {
          lists.tick();
          await settle(s);
        }
        const { runs } = await memory.runs.list({ limit: 50 });
        const expected = await Promise.all(runs.map((run) => summed(memory, run)));
        const told = [];
        for (const { viewer, opened } of viewers) {
          await opened;
          const rows = shown(viewer);
          told.push(runs.map(({ runId }) => rows.get(runId)));
          expect([...rows.keys()].sort()).toEqual(runs.map(({ runId }) => runId).sort());
        }
        const closing = lists.close();
        await settle(s);
        await closing;
        expect(told).toEqual([expected, expected]);
        expect(errors).toEqual([]);
      },
    );
    await fc.assert(property, { numRuns: process.env.TELLTALE_LONG ? 10_000 : 150 });
  }, 300_000);

  test('come at once while the log is slow, and what events tell after them, newest runs first', async () => {
    const slow = watched(openMemory());
    for (const id of ['a', 'b', 'c']) await append(slow.log, id, [NAMED, step('1'), END]);
    const { promise, resolve } = Promise.withResolvers<void>();
    slow.hold = promise;
    const viewer = await list(hubOn(slow.log, { latenessMs: NEVER }));
    expect(viewer.frames.map(({ event }) => event).at(-1)).toBe('stream.caught-up');
    expect([...shown(viewer).values()].map(({ title }) => title)).toEqual([undefined, undefined, undefined]);
    resolve();
    await until(() => viewer.frames.length === 8);
    const told = viewer.frames.slice(5).map(({ data }) => JSON.parse(data));
    expect(told.map(({ runId, title }) => `${runId} ${title}`)).toEqual(['c How much?', 'b How much?', 'a How much?']);
  });

  test('share one fold between lists, and one that ended is read once', async () => {
    const { log, reads } = watched(openMemory());
    await append(log, 'over', [NAMED, END]);
    await append(log, 'open', [NAMED]);
    const hub = hubOn(log, { latenessMs: 100 });
    const viewers = [await list(hub), await list(hub)];
    const all = (text: string) =>
      viewers.every((it) => [...shown(it).values()].filter((run) => run.title === text).length === 2);
    await until(() => all('How much?'));
    const before = reads.length;
    expect(before).toBeLessThanOrEqual(3);
    const late = await list(hub);
    expect([...shown(late).values()].map(({ title }) => title)).toEqual(['How much?', 'How much?']);
    expect(late.frames).toHaveLength(4);
    await append(log, 'open', [step('1')]);
    await until(() => [late, ...viewers].every((it) => shown(it).get('open')?.step?.name === 'Do 1'));
    expect(reads.slice(before)).toEqual(['open']);
  });

  test('grow by one frame a second at most, which tells both how many events there are and what they say', async () => {
    const slow = watched(openMemory());
    const { log } = slow;
    await append(log, 'r', [NAMED]);
    const viewer = await list(hubOn(log, { latenessMs: 400 }));
    const rows = () => viewer.frames.filter(({ event }) => event === 'stream.run').map(({ data }) => JSON.parse(data));
    await until(() => rows().length === 2);
    for (let i = 1; i <= 3; i++) {
      const before = rows().length;
      const { promise, resolve } = Promise.withResolvers<void>();
      slow.hold = promise;
      await append(log, 'r', [step(`${i}`)]);
      await until(() => slow.reads.length > i);
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      expect(rows()).toHaveLength(before);
      resolve();
      await until(() => rows().length > before);
      expect(rows()[before]).toMatchObject({ events: i + 1, step: { index: i } });
      expect(rows()).toHaveLength(before + 1);
    }
  });

  test('wait for what events tell, a new status does not, though every hint is lost', async () => {
    const slow = watched(openMemory());
    const memory = slow.log;
    await append(memory, 'r', [NAMED]);
    const log = { ...memory, durability: 'memory', runs: { ...memory.runs, follow: async () => () => {} } } as Log;
    const viewer = await list(hubOn(log, { latenessMs: 100 }));
    await until(() => shown(viewer).get('r')?.title !== undefined);
    const { promise, resolve } = Promise.withResolvers<void>();
    slow.hold = promise;
    await append(memory, 'r', [step('1'), END]);
    await until(() => shown(viewer).get('r')?.status === 'completed', 'the status', 3_000);
    expect(shown(viewer).get('r')?.step).toBeUndefined();
    resolve();
    await until(() => shown(viewer).get('r')?.step?.name === 'Do 1');
  });

  test('stay as they are while the log cannot be read, and are completed when it can', async () => {
    const away = watched(openMemory());
    await append(away.log, 'r', [NAMED]);
    away.failing = true;
    const viewer = await list(hubOn(away.log, { latenessMs: 100 }));
    await until(() => away.reads.length > 2);
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(away.reads.length).toBeLessThan(8);
    expect(shown(viewer).get('r')).toMatchObject({ status: 'running' });
    expect(shown(viewer).get('r')?.title).toBeUndefined();
    away.failing = false;
    await until(() => shown(viewer).get('r')?.title === 'How much?');
  });
});

describe('the folds of lists', () => {
  test('let streams go on: a turn of the event loop passes for each page of a long run', async () => {
    const counted = watched(openMemory());
    await append(counted.log, 'long', [NAMED]);
    for (let i = 0; i < 20; i++) {
      await append(
        counted.log,
        'long',
        Array.from({ length: 500 }, () => custom('x'.repeat(300))),
      );
    }
    const { told, turns } = await foldOf(counted.log, 'long');
    expect(told?.details).toEqual({ title: 'How much?', agents: 0, errors: 0, lastAt: '2026-11-20T18:00:00.000Z' });
    expect(counted.reads.length).toBeGreaterThan(8);
    expect(turns).toBeGreaterThanOrEqual(counted.reads.length);
  });

  test('and for every few milliseconds of a page whose events take long', async () => {
    const counted = watched(openMemory());
    const ids = Array.from({ length: 9_000 }, (_, i) => `${i}`);
    await append(counted.log, 'slow', [NAMED, plan(...ids.slice(4_500)), plan(...ids.slice(0, 4_500))]);
    await append(
      counted.log,
      'slow',
      Array.from({ length: 200 }, () => plan('1', '2')),
    );
    const { told, turns } = await foldOf(counted.log, 'slow');
    expect(told?.events).toBe(203);
    expect(turns).toBeGreaterThan(counted.reads.length + 5);
  });

  test('begin anew where the log has lost the end of a run that was folded in', async () => {
    const counted = watched(openMemory());
    await append(counted.log, 'r', [NAMED, END]);
    const folds = new RunFolds(counted.log, () => {});
    const run = (await counted.log.runs.get('r'))!;
    await folds.wait([run], 10_000);
    await folds.wait([run], 10_000);
    expect(counted.reads).toHaveLength(1);
    const { last: _, ...lost } = { ...run, status: 'running', events: 1 } as const;
    expect(await folds.wait([lost], 10_000)).toMatchObject([{ details: { title: 'How much?' } }]);
    expect(counted.reads).toHaveLength(2);
  });

  test('give a run up that has more steps than they may hold, and read it no more', async () => {
    const counted = watched(openMemory());
    const steps = (n: number): Draft => plan(...Array.from({ length: 2_000 }, (_, i) => `${n}-${i}`));
    await append(counted.log, 'huge', [NAMED]);
    for (let n = 0; n < 6; n++) await append(counted.log, 'huge', [steps(n)]);
    const folds = new RunFolds(counted.log, () => {});
    const run = (await counted.log.runs.get('huge'))!;
    expect(await folds.wait([run], 10_000)).toEqual([{ events: Number.POSITIVE_INFINITY, details: {} }]);
    const before = counted.reads.length;
    await folds.wait([{ ...run, events: run.events + 1 }], 10_000);
    expect(counted.reads.length).toBe(before);
  });

  test('of a few runs that hold very much take nothing from the others: the largest is given up', async () => {
    const log = openMemory();
    const ids = Array.from({ length: 9_900 }, (_, i) => `${i}`);
    const [some, more] = [plan(...ids.slice(0, 4_950)), plan(...ids.slice(4_950))];
    // As much as all may hold, but for a little. Newer runs come first.
    for (let n = 0; n < 20; n++) await append(log, `z-${n}`, [NAMED, some, more]);
    await append(log, 'y', [NAMED, plan(...ids.slice(0, 1_970))]);
    for (let n = 0; n < 15; n++) await append(log, `small-${n}`, [NAMED]);
    const hub = new Hub(log);
    const { runs } = await log.runs.list({ limit: 50 });
    const titles = await hub.describeRuns(runs, 10_000);
    const untold = titles.filter(({ title }) => title === undefined).map(({ runId }) => runId);
    expect(untold).toHaveLength(1);
    expect(untold[0]).toContain('z-');
    await hub.close();
  });

  test('are waited for no longer than asked, and what is known is told', async () => {
    const slow = watched(openMemory());
    for (const id of ['a', 'b']) await append(slow.log, id, [NAMED, END]);
    const hub = new Hub(slow.log);
    const { runs } = await slow.log.runs.list({ limit: 9 });
    const [first] = await hub.describeRuns(runs.slice(0, 1), 10_000);
    const { promise, resolve } = Promise.withResolvers<void>();
    slow.hold = promise;
    const page = await hub.describeRuns(runs, 20);
    expect(page.map(({ title }) => title)).toEqual([first?.title, undefined]);
    resolve();
    expect((await hub.describeRuns(runs, 10_000)).map(({ title }) => title)).toEqual(['How much?', 'How much?']);
    await hub.close();
  });

  test('forget a run that was deleted, also where no list is open', async () => {
    const counted = watched(openMemory());
    await append(counted.log, 'r', [NAMED, END]);
    const hub = new Hub(counted.log);
    const run = (await counted.log.runs.get('r'))!;
    await hub.describeRuns([run], 10_000);
    await hub.describeRuns([run], 10_000);
    expect(counted.reads).toHaveLength(1);
    await counted.log.retention.erase('r');
    hub.forgetRun('r');
    expect(await hub.describeRuns([run], 10_000)).not.toMatchObject([{ title: 'How much?' }]);
    await hub.close();
  });

  test('and one of which an open list hears that it was', async () => {
    const counted = watched(openMemory());
    await append(counted.log, 'r', [NAMED, END]);
    const run = (await counted.log.runs.get('r'))!;
    const hub = hubOn(counted.log, { latenessMs: NEVER });
    const viewer = await list(hub);
    await until(() => shown(viewer).get('r')?.title === 'How much?');
    await counted.log.retention.erase('r');
    await until(() => shown(viewer).size === 0);
    expect(await hub.describeRuns([run], 10_000)).not.toMatchObject([{ title: 'How much?' }]);
  });
});
