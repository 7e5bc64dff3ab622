import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { native, type Selection } from '../dialects/index.ts';
import { openMemory } from '../log/memory.ts';
import { checkHistory, type SeenEvent } from '../testing/history-checker.ts';
import { append, custom, type Draft, delta, END, START } from './drafts.fixture.ts';
import { Hub } from './index.ts';
import { RecordedSink, Recording, until } from './recording.fixture.ts';

const DRAFTS: readonly Draft[] = [
  custom('c'),
  delta('some text'),
  ['status.updated', { status: 's' }],
  ['tool.called', { toolCallId: 't', name: 'n', args: {} }],
  ['tool.completed', { toolCallId: 't', result: 'x'.repeat(300) }],
];

const selection = fc.record(
  {
    runId: fc.constantFrom('a', 'b'),
    types: fc.uniqueArray(fc.constantFrom('tool.*', 'custom', 'message.delta', 'never.seen'), { minLength: 1 }),
    asMessages: fc.boolean(),
  },
  { requiredKeys: [] },
);

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      append: fc.constantFrom('a', 'b'),
      which: fc.array(fc.nat(4), { minLength: 1, maxLength: 5 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ cut: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ drain: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ turn: fc.constant(true) }) },
);

const wants =
  ({ runId, types }: Selection) =>
  (event: SeenEvent): boolean =>
    (runId === undefined || event.runId === runId) &&
    (types === undefined ||
      event.type === 'run.completed' ||
      types.some((type) => (type === 'tool.*' ? event.type.startsWith('tool.') : type === event.type)));

test('whoever takes jumps for jumps and holes for holes gets exactly the events of its view, over cuts, slow sinks and any window (P5, P6, P7)', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(selection, { minLength: 1, maxLength: 4 }),
      fc.array(step, { maxLength: 30 }),
      fc.constantFrom(1, 2000, 1_000_000),
      fc.constantFrom(300, Number.POSITIVE_INFINITY),
      async (selections, steps, windowBytes, room) => {
        const log = openMemory();
        const hub = new Hub(log, { windowBytes });
        const recording = new Recording();
        const say = async (runId: string, drafts: readonly Draft[]) =>
          recording.acked(log, 't', await append(log, runId, drafts, 't'));
        await say('a', [START, custom(1)]);
        await say('b', [START, custom(2)]);

        const watchers = selections.map((it, i) => ({
          selection: it,
          viewer: recording.viewer(`v${i}`),
          sink: undefined as RecordedSink | undefined,
        }));
        const connect = async (watcher: (typeof watchers)[number], capacity: number) => {
          const { viewer } = watcher;
          if (viewer.ended) return;
          watcher.sink = new RecordedSink(viewer, capacity);
          const cursor = viewer.cursor === undefined ? {} : { cursor: viewer.cursor };
          const one = { coalesce: false };
          await hub.open(
            { dialect: native, threadId: 't', selection: watcher.selection, ...one, ...cursor },
            watcher.sink,
          );
        };
        for (const watcher of watchers) await connect(watcher, room);

        for (const it of steps) {
          if ('append' in it)
            await say(
              it.append,
              it.which.map((which) => DRAFTS[which]!),
            );
          if ('drain' in it) watchers[it.drain]?.sink?.drain();
          if ('turn' in it) await new Promise((resolve) => setImmediate(resolve));
          const cut = 'cut' in it ? watchers[it.cut] : undefined;
          if (cut) {
            cut.sink?.vanish();
            await connect(cut, room);
          }
        }
        await say('a', [END]);
        await say('b', [END]);
        const { last } = (await log.head('t'))!;
        for (const watcher of watchers) {
          const done = () => watcher.viewer.ended || Number(watcher.viewer.cursor?.split('.')[1]) >= last;
          await until(() => {
            watcher.sink?.drain();
            return done();
          }, `the end of ${watcher.viewer.name}`);
          watcher.sink?.vanish();
          watcher.viewer.complete();
        }
        const views = Object.fromEntries(watchers.map(({ viewer, selection: it }) => [viewer.name, wants(it)]));
        expect(checkHistory(recording.records, { views })).toEqual([]);
        await until(() => hub.viewers === 0);
        expect(hub.threads).toBe(0);
      },
    ),
    { numRuns: process.env.TELLTALE_LONG ? 10_000 : 150 },
  );
}, 300_000);
