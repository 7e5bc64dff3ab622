import { describe, expect, test } from 'vitest';
import { checkHistory, type HistoryRecord, type SeenEvent } from './history-checker.ts';

const event = (seq: number, epoch = 'e1'): SeenEvent => ({
  epoch,
  seq,
  type: seq % 2 ? 'custom' : 'tool.called',
  runId: 'r',
  content: `${epoch} ${seq}`,
});

/** Two viewers, one of which was cut and came back; a fork in the middle that voids 7 and 8. */
function history(): HistoryRecord[] {
  const records: HistoryRecord[] = [];
  const add = (record: HistoryRecord extends infer R ? (R extends unknown ? Omit<R, 'at'> : never) : never) =>
    records.push({ ...record, at: records.length } as HistoryRecord);
  const deliver = (viewer: string, ...events: SeenEvent[]) => {
    for (const it of events) add({ what: 'delivered', viewer, event: it });
  };
  for (const viewer of ['a', 'b']) {
    add({ what: 'connected', viewer });
    add({ what: 'caught-up', viewer });
  }
  for (let seq = 1; seq <= 6; seq++) {
    add({ what: 'acked', event: event(seq) });
    deliver('a', event(seq));
    if (seq <= 3) deliver('b', event(seq));
    if (seq === 3) add({ what: 'disconnected', viewer: 'b' });
  }
  add({ what: 'connected', viewer: 'b', cursor: 'e1.3' });
  deliver('b', event(4), event(5), event(6));
  for (const seq of [7, 8]) {
    add({ what: 'acked', event: event(seq) });
    deliver('a', event(seq));
  }
  add({ what: 'forked', epoch: 'e2', after: 6 });
  const reset = { reason: 'diverged', earliest: 1, latest: 6, shared: 6, after: 6 } as const;
  add({ what: 'reset', viewer: 'a', reset });
  for (const seq of [7, 8, 9]) {
    add({ what: 'acked', event: event(seq, 'e2') });
    deliver('a', event(seq, 'e2'));
    deliver('b', event(seq, 'e2'));
  }
  for (const viewer of ['a', 'b']) add({ what: 'complete', viewer });
  return records;
}

const indexOf = (records: readonly HistoryRecord[], viewer: string, seq: number, epoch = 'e1') =>
  records.findIndex(
    (it) => it.what === 'delivered' && it.viewer === viewer && it.event.seq === seq && it.event.epoch === epoch,
  );
const problems = (records: readonly HistoryRecord[], options = {}) => [
  ...new Set(checkHistory(records, options).map(({ problem }) => problem)),
];

describe('the history checker', () => {
  test('finds nothing in a history that kept every promise', () => {
    expect(checkHistory(history(), { latenessMs: 5 })).toEqual([]);
  });

  test.each<[string, (records: HistoryRecord[]) => void, string[]]>([
    ['one delivery dropped', (it) => void it.splice(indexOf(it, 'a', 4), 1), ['hole', 'lost']],
    ['the last one dropped', (it) => void it.splice(indexOf(it, 'b', 9, 'e2'), 1), ['lost']],
    ['one delivery twice', (it) => void it.splice(indexOf(it, 'a', 4), 0, it[indexOf(it, 'a', 4)]!), ['repeated']],
    [
      'two swapped',
      (it) => {
        const [i, j] = [indexOf(it, 'b', 4), indexOf(it, 'b', 5)];
        [it[i], it[j]] = [it[j]!, it[i]!];
      },
      ['hole', 'reordered'],
    ],
    [
      'one delivered again after resuming',
      (it) => void it.splice(indexOf(it, 'b', 4), 0, it[indexOf(it, 'b', 3)]!),
      ['repeated'],
    ],
    [
      'a byte changed',
      (it) => {
        const i = indexOf(it, 'b', 5);
        const record = it[i] as Extract<HistoryRecord, { what: 'delivered' }>;
        it[i] = { ...record, event: { ...record.event, content: 'e1 5!' } };
      },
      ['diverged'],
    ],
    [
      'a reset that was not told',
      (it) =>
        void it.splice(
          it.findIndex(({ what }) => what === 'reset'),
          1,
        ),
      ['repeated'],
    ],
    [
      'a reset that was not told, and the new events skipped',
      (it) => {
        it.splice(
          it.findIndex(({ what }) => what === 'reset'),
          1,
        );
        for (const seq of [7, 8]) it.splice(indexOf(it, 'a', seq, 'e2'), 1);
      },
      ['diverged'],
    ],
    [
      'a reset with another shared number',
      (it) => {
        const i = it.findIndex(({ what }) => what === 'reset');
        const record = it[i] as Extract<HistoryRecord, { what: 'reset' }>;
        it[i] = { ...record, reset: { ...record.reset, shared: 7 } };
      },
      ['wrong reset', 'repeated'],
    ],
    [
      'a reset without cause',
      (it) => {
        const reset = { reason: 'diverged', earliest: 1, latest: 6, shared: 6, after: 6 } as const;
        it.splice(indexOf(it, 'b', 7, 'e2'), 0, { what: 'reset', viewer: 'b', reset, at: 40 });
      },
      ['reset without cause'],
    ],
    [
      'one delivery too late',
      (it) => {
        const i = indexOf(it, 'a', 6);
        it[i] = { ...it[i]!, at: it[i]!.at + 2000 };
      },
      ['late'],
    ],
    [
      'one delivered after its run was erased',
      (it) => void it.splice(indexOf(it, 'a', 9, 'e2'), 0, { at: 40, what: 'erased', runId: 'r' }),
      ['erased'],
    ],
  ])('condemns %s', (_name, mutate, expected) => {
    const records = history();
    mutate(records);
    expect(problems(records, { latenessMs: 1000 })).toEqual(expected);
  });

  test('asks nobody for what was erased', () => {
    const records = history();
    records.splice(indexOf(records, 'a', 9, 'e2'), 2);
    expect(problems(records)).toEqual(['lost']);
    records.splice(-2, 0, { at: 50, what: 'erased', runId: 'r' });
    expect(problems(records)).toEqual([]);
  });

  test('takes a jump that `prev` explains, and condemns what is not of the view', () => {
    const tools = { views: { v: ({ type }: SeenEvent) => type === 'tool.called' } };
    const acked = [1, 2, 3, 4].map((seq): HistoryRecord => ({ at: seq, what: 'acked', event: event(seq) }));
    const got = (seq: number, prev: number): HistoryRecord => ({
      at: 5,
      what: 'delivered',
      viewer: 'v',
      event: event(seq),
      prev,
    });
    const end: HistoryRecord = { at: 6, what: 'complete', viewer: 'v' };
    expect(checkHistory([...acked, got(2, 0), got(4, 2), end], tools)).toEqual([]);
    expect(problems([...acked, got(2, 0), got(4, 3), end], tools)).toEqual(['hole']);
    expect(problems([...acked, got(2, 0), got(3, 2), got(4, 3), end], tools)).toEqual(['unwanted']);
  });
});
