import { expect, test } from 'vitest';
import type { RunView } from '../client/index.ts';
import { emptySnapshot, type RunSnapshot, reduceAll, type TelltaleEvent } from '../protocol/index.ts';
import { find } from './find.ts';
import type { Found } from './found.ts';

/** A store whose view a test changes. */
function stage() {
  let data: RunSnapshot = emptySnapshot('r');
  const listeners = new Set<() => void>();
  const getSnapshot = () => ({ data }) as unknown as RunView;
  return {
    store: {
      subscribe: (it: () => void) => {
        listeners.add(it);
        return () => listeners.delete(it);
      },
      getSnapshot,
      getServerSnapshot: getSnapshot,
    },
    show(snapshot: RunSnapshot): void {
      data = snapshot;
      for (const it of listeners) it();
    },
    tell(...drafts: (readonly [type: string, data: object])[]): void {
      const events = drafts.map(([type, it], i) => ({
        ...{ seq: data.seq + i + 1, epoch: 'e', threadId: 'r', runId: 'r', time: '2026-11-20T18:00:00.000Z' },
        type,
        data: it,
      }));
      this.show(reduceAll(data, events as unknown as TelltaleEvent[]));
    },
    get data() {
      return data;
    },
  };
}

/** Resolves with what is found when all is looked through, and `holds` says that it is what a test waits for. */
const settled = (store: ReturnType<typeof stage>['store'], text: string, holds: (it: Found) => boolean = () => true) =>
  new Promise<Found>((resolve) => {
    const found = find(store, text);
    const leave = found.subscribe(() => {
      const it = found.getSnapshot();
      if (it.isSearching || !holds(it)) return;
      leave();
      resolve(it);
    });
  });

const error = { code: 'odd', message: 'The WIDGET is lost.' };

test('a text is found wherever a run tells it, in the order of the log, an error on the row that tells of it', async () => {
  const run = stage();
  run.tell(
    ['step.started', { stepId: 's', name: 'Widgets' }],
    ['reasoning.delta', { reasoningId: 'x', delta: 'Which ｗidget?' }],
    ['tool.called', { toolCallId: '1', name: 'look', args: { of: 'widget' } }],
    ['tool.failed', { toolCallId: '1', error }],
    ['tool.called', { toolCallId: '2', name: 'widget_of', args: {} }],
    ['tool.completed', { toolCallId: '2', result: { name: 'widget' } }],
    ['error.reported', { error }],
    ['message.delta', { messageId: 'm', delta: 'None.' }],
  );
  const { matches } = await settled(run.store, 'Widget');
  expect(matches).toEqual([
    { rowKey: 'step:0:s', seq: 1, where: 'name' },
    { rowKey: 'thinking:0:x', seq: 2, where: 'text' },
    { rowKey: 'tool:0:1', seq: 3, where: 'args' },
    { rowKey: 'tool:0:1', seq: 4, where: 'error' },
    { rowKey: 'tool:0:2', seq: 5, where: 'name' },
    { rowKey: 'tool:0:2', seq: 5, where: 'result' },
    { rowKey: 'error:0:7', seq: 7, where: 'error' },
  ]);
  expect((await settled(run.store, 'nowhere')).matches).toEqual([]);
  // Long texts are looked through in pieces: this one lies across two of them.
  run.tell(['message.delta', { messageId: 'm', delta: `${'a'.repeat(32_760)} Needle ` }]);
  expect((await settled(run.store, 'a needle ')).matches).toEqual([{ rowKey: 'message:0:m', seq: 8, where: 'text' }]);
});

test('what comes is found, what goes is not found any more, and nothing holds the page for long', async () => {
  const run = stage();
  const many = Array.from(
    { length: 30_000 },
    (_, i) => ['activity.reported', { action: `it ${i}`, status: 'ok' }] as const,
  );
  run.tell(...many);
  const before = run.data;
  const started = performance.now();
  const all = settled(run.store, 'it 29999');
  // The page has its turn before all is looked through.
  expect(performance.now() - started).toBeLessThan(50);
  expect((await all).matches).toHaveLength(1);
  const grown = settled(run.store, 'late', ({ matches }) => matches.length > 0);
  run.tell(['activity.reported', { action: 'late', status: 'ok' }]);
  expect((await grown).matches).toMatchObject([{ seq: 30_001, where: 'name' }]);
  const gone = find(run.store, 'late');
  const seen: number[] = [];
  await new Promise<void>((resolve) => {
    const leave = gone.subscribe(() => {
      const { matches, isSearching } = gone.getSnapshot();
      if (isSearching) return;
      seen.push(matches.length);
      if (matches.length > 0) run.show(before);
      else {
        leave();
        resolve();
      }
    });
  });
  expect(seen).toEqual([1, 0]);
});

test('what comes with each frame is told ten times a second at most, the last of it too', async () => {
  const run = stage();
  const found = find(run.store, 'it');
  let told = 0;
  const all = new Promise<void>((resolve) => {
    const leave = found.subscribe(() => {
      told++;
      if (found.getSnapshot().matches.length < 50) return;
      leave();
      resolve();
    });
  });
  const began = performance.now();
  for (let i = 0; i < 50; i++) {
    run.tell(['activity.reported', { action: `it ${i}`, status: 'ok' }]);
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await all;
  expect(told).toBeLessThanOrEqual(3 + (performance.now() - began) / 100);
});
