import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptySnapshot, type RunSnapshot, reduce, type TelltaleEvent } from '../../protocol/index.ts';
import { runs } from '../../protocol/runs.fixture.ts';
import { Recording } from './recording.ts';

/** Any runs, one after the other as one: long enough for checkpoints. Their ends are none any more. */
const long = fc
  .array(runs, { minLength: 9, maxLength: 12, size: 'max' })
  .map((all) => all.flat().map((event, i) => ({ ...event, seq: i * 3 + 1 }) as TelltaleEvent));

function record(events: readonly TelltaleEvent[]): Recording {
  const recording = new Recording('r');
  for (const event of events) recording.add(event);
  return recording;
}

const event = (seq: number, type: string, data: object): TelltaleEvent =>
  ({
    seq,
    epoch: 'e',
    threadId: 't',
    runId: 'r',
    time: new Date(seq * 100).toISOString(),
    type,
    data,
  }) as TelltaleEvent;

/** Tool calls that end long after they began, among activities: lists that are long, and change far from their end. */
const busy = (count: number): TelltaleEvent[] =>
  Array.from({ length: count }, (_, i) => {
    if (i % 3 === 0) return event(i + 1, 'activity.reported', { action: `${i}`, status: 's' });
    const isEnd = i % 3 === 2 && i > 1_500;
    const toolCallId = isEnd ? `${i - 1_501}` : `${i}`;
    return event(i + 1, isEnd ? 'tool.completed' : 'tool.started', { toolCallId, name: 'n' });
  });

describe('P3: a run as it stood', () => {
  test('at any number is the fold of the events up to there, whatever was asked before', () => {
    fc.assert(
      fc.property(long, fc.array(fc.nat(1_000), { minLength: 40, maxLength: 40 }), (events, places) => {
        const folds: RunSnapshot[] = [emptySnapshot('r')];
        for (const it of events) folds.push(reduce(folds.at(-1) as RunSnapshot, it));
        const recording = record(events);
        const edges = [0, 249, 250, 251, 499, 500, events.length - 1, events.length];
        for (const place of [...edges, ...places]) {
          const count = Math.min(place, events.length);
          // Numbers between belong to other runs.
          for (const seq of [count * 3 - 2, count * 3]) {
            expect(recording.at(Math.max(0, seq))).toEqual(folds[Math.max(0, count)]);
          }
        }
      }),
      { numRuns: 4 },
    );
  });

  test('beside thousands of entities it is the same, at every event', () => {
    const events = busy(4_000);
    const recording = record(events);
    const look = ({ tools, activities, seq }: RunSnapshot) =>
      `${seq} ${activities.length} ${tools.length} ${tools.map(({ status, endSeq = 0 }) => `${status[0]}${endSeq}`)}`;
    const wanted = new Map<number, string>();
    let fold = emptySnapshot('r');
    for (const it of events) {
      fold = reduce(fold, it);
      if (it.seq % 31 === 0 || it.seq % 250 < 2) wanted.set(it.seq, look(fold));
    }
    // Backwards, so that each begins at a checkpoint.
    for (const [seq, text] of [...wanted].reverse()) expect(look(recording.at(seq))).toBe(text);
    for (const [seq, text] of wanted) expect(look(recording.at(seq))).toBe(text);
  });

  test('stays as it was given, while the run goes on', () => {
    const events = busy(2_000);
    const recording = record(events.slice(0, 1_000));
    const [now, then] = [recording.at(1_000), recording.at(600)];
    const kept = structuredClone([now, then]);
    for (const it of events.slice(1_000)) recording.add(it);
    recording.at(1_500);
    recording.at(700);
    expect([now, then]).toEqual(kept);
  });

  test('what is of another run, or here already, changes nothing', () => {
    const events = busy(10);
    const recording = record(events);
    recording.add({ ...(events[9] as TelltaleEvent), runId: 'other', seq: 11 });
    recording.add(events[4] as TelltaleEvent);
    expect([recording.tape.length, recording.at(99).seq]).toEqual([10, 10]);
  });
});

test('events are given as they came, and cost about their bytes', () => {
  const events = busy(2_100);
  const { tape } = record(events);
  expect(tape.slice(0, 2_100)).toEqual(events);
  expect(tape.slice(245, 255)).toEqual(events.slice(245, 255));
  expect(tape.slice(-5, 2)).toEqual(events.slice(0, 2));
  expect([tape.find(0), tape.find(1), tape.find(9_999)]).toEqual([-1, 0, 2_099]);
});

test('a clock that is set back does not turn time', () => {
  const { tape } = record([
    event(1, 'run.started', { agent: 'a' }),
    { ...event(2, 'x', {}), time: '1970-01-01T00:00:00Z' },
  ]);
  expect(tape.time(1)).toBe(tape.time(0));
});

test('marks tell steps, errors, questions and pauses, each with a few words', () => {
  const { marks } = record([
    event(1, 'run.started', { agent: 'a' }),
    event(2, 'step.started', { stepId: 's', name: 'Read' }),
    event(3, 'tool.failed', { toolCallId: 't', error: { code: 'x', message: 'm'.repeat(999) } }),
    event(4, 'approval.requested', { approvalId: 'q', prompt: 'May I?' }),
    event(5, 'run.paused', {}),
  ]);
  expect(marks.map(({ seq, kind, label }) => `${seq} ${kind} ${label}`)).toEqual([
    '2 step Read',
    `3 error ${'m'.repeat(200)}`,
    '4 approval May I?',
    '5 pause ',
  ]);
});
