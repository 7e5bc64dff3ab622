/**
 * What every dialect has to do, as cases for any test runner: the same log gives the same frames with the same ids,
 * however it is cut and wherever a client goes on (docs/dialects.md).
 */
import assert from 'node:assert/strict';
import type { Dialect } from '../dialects/index.ts';
import {
  blocksOf,
  cutInto,
  type DialectDraft,
  erased,
  framesOf,
  placeAfter,
  readFrames,
  type SpokenFrame,
  START,
  seqOf,
  textOf,
} from './dialect/kit.ts';
import { ENDS, missingTypes, SCENARIO } from './dialect/scenario.ts';

export type { DialectDraft, SpokenFrame } from './dialect/kit.ts';

/** How the cases get at a dialect and at your test runner. */
export interface DialectHarness {
  /** Your runner's `test` or `it`. */
  readonly test: (name: string, body: () => void) => void;
  readonly dialect: Dialect;
  /** What it says of a log, written by hand: at least one table. */
  readonly golden: readonly GoldenTable[];
  /** What a frame begins and ends, by names that tell them apart: nothing ends that has not begun. */
  readonly spans?: (frame: SpokenFrame) => { readonly begins?: string; readonly ends?: string };
}

/** Events of run `r1` in thread `t1` under epoch `e1`, at 2026-11-20T18:00:00.000Z, and the frames that they become. */
export interface GoldenTable {
  readonly name: string;
  readonly events: readonly DialectDraft[];
  readonly frames: readonly SpokenFrame[];
}

/**
 * Registers every case with your runner.
 *
 * @example
 * dialectCases({ test: it, dialect: mine, golden: [{ name: 'an end', events: [['run.completed']], frames: [] }] });
 */
export function dialectCases({ test, dialect, golden, spans }: DialectHarness): void {
  const logs = ENDS.map((end) => [...SCENARIO, end]);
  const all = (check: (events: readonly DialectDraft[]) => void) => () => {
    for (const events of [...logs, ...golden.map((table) => table.events)]) check(events);
  };

  for (const { name, events, frames } of golden) {
    test(`says of ${name} what its table says`, () => {
      assert.deepEqual(framesOf(dialect, blocksOf(events)), frames);
    });
  }

  test('says something of a run in which everything happens, and its end last', () => {
    assert.deepEqual(missingTypes(), []);
    for (const events of logs) {
      const frames = framesOf(dialect, blocksOf(events));
      assert.ok(frames.length > 5);
      assert.ok(seqOf(frames.at(-1)!.id) <= events.length);
    }
  });

  test(
    'says the same bytes however the log is cut into blocks, and whatever fits into a chunk',
    all((events) => {
      const blocks = blocksOf(events);
      const text = textOf(dialect, blocks);
      for (const size of [2, 3, 7, events.length]) assert.equal(textOf(dialect, cutInto(blocks, size)), text);
      for (const limit of [1, 300, 2000]) {
        assert.equal(textOf(dialect, cutInto(blocks, events.length), { limit }), text);
      }
    }),
  );

  test(
    'goes on after every id with exactly what follows, merged or not',
    all((events) => {
      const blocks = cutInto(blocksOf(events), events.length);
      for (const merge of [false, true]) {
        const frames = framesOf(dialect, blocks, { merge });
        for (const [i, { id }] of frames.entries()) {
          const rest = framesOf(dialect, blocks, { merge, place: placeAfter(id) });
          assert.deepEqual(withoutPrev(rest), withoutPrev(frames.slice(i + 1)), `after ${id}`);
        }
      }
    }),
  );

  test(
    'merges without a new id, and what it merged can be cut at any id',
    all((events) => {
      const blocks = cutInto(blocksOf(events), events.length);
      const ids = framesOf(dialect, blocks).map(({ id }) => id);
      const merged = framesOf(dialect, blocks, { merge: true }).map(({ id }) => id);
      assert.deepEqual(
        merged.filter((id) => !ids.includes(id)),
        [],
      );
      assert.equal(merged.at(-1), ids.at(-1));
      for (const id of ids) {
        const rest = framesOf(dialect, blocks, { merge: true, place: placeAfter(id) }).map((frame) => frame.id);
        const expected = merged.filter((it) => ids.indexOf(it) > ids.indexOf(id));
        assert.deepEqual(
          expected.filter((it) => !rest.includes(it)),
          [],
        );
        assert.ok(rest.every((it) => ids.indexOf(it) > ids.indexOf(id)));
      }
    }),
  );

  test(
    'gives every frame an id of its own, in the order of the log',
    all((events) => {
      const ids = framesOf(dialect, blocksOf(events)).map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length);
      const numbers = ids.map(seqOf);
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
      );
    }),
  );

  test(
    'leaves out the event line and nothing else with asMessages',
    all((events) => {
      const blocks = blocksOf(events);
      const named = framesOf(dialect, blocks);
      const plain = framesOf(dialect, blocks, { selection: { runId: 'r1', asMessages: true } });
      assert.deepEqual(
        plain.map(({ id, event }) => [id, event]),
        named.map(({ id }) => [id, undefined]),
      );
      for (const [i, { data }] of plain.entries()) {
        const { type: _, ...rest } = Object(data) as Record<string, unknown>;
        const { type: __, ...expected } = Object(named[i]!.data) as Record<string, unknown>;
        assert.deepEqual(rest, expected);
      }
    }),
  );

  test('says of a run the same whatever other runs do, and nothing of what it does not know', () => {
    const events = logs[0]!;
    const alone = framesOf(dialect, blocksOf(events));
    const others = events.flatMap((draft): DialectDraft[] => {
      const [type, data = {}] = draft;
      return [draft, [type, data, { runId: 'r2' }]];
    });
    assert.deepEqual(contents(framesOf(dialect, blocksOf(others))), contents(alone));
    if (framesOf(dialect, blocksOf([['my.own', {}]])).length > 0) return;
    const unknown = events.flatMap((draft): DialectDraft[] => [['my.own', { toolCallId: 't', delta: 'x' }], draft]);
    assert.deepEqual(contents(framesOf(dialect, blocksOf(unknown))), contents(alone));
  });

  test('of a whole thread says everything of every run, and does not end', () => {
    const thread = logs.flatMap((events, i) =>
      events.map(([type, data = {}, about]): DialectDraft => [type, data, { ...about, runId: `r${i}` }]),
    );
    const blocks = blocksOf(thread);
    const frames = framesOf(dialect, blocks, { selection: {} });
    const sum = logs.reduce((count, events) => count + framesOf(dialect, blocksOf(events)).length, 0);
    assert.equal(frames.length, sum);
    const encoder = dialect.encoder({}, START);
    assert.ok(blocks.every((block) => !encoder.encode(block, Number.POSITIVE_INFINITY).ended));
  });

  test('passes over what was erased, and bears a log without its beginning', () => {
    for (const events of logs) {
      const blocks = blocksOf(events);
      assert.equal(textOf(dialect, blocks.map(erased), { selection: {} }), '');
      for (let begin = 1; begin < events.length; begin++) {
        const rest = blocks.slice(begin);
        const frames = framesOf(dialect, rest, { place: { begin, after: begin, prev: begin } });
        checkSpans(frames, spans);
      }
    }
  });

  test(
    'lets nothing end that has not begun',
    all((events) => checkSpans(framesOf(dialect, blocksOf(events)), spans)),
  );

  test('refuses to go on over a hole', () => {
    const blocks = blocksOf(SCENARIO);
    const encoder = dialect.encoder({}, START);
    encoder.encode(blocks[0]!, Number.POSITIVE_INFINITY);
    assert.throws(() => encoder.encode(blocks[2]!, Number.POSITIVE_INFINITY), RangeError);
  });

  test('takes a chunk’s limit for what it is, but for one event', () => {
    const blocks = blocksOf(logs[0]!);
    const limit = 3000;
    const encoder = dialect.encoder({ runId: 'r1' }, START);
    const [block] = cutInto(blocks, blocks.length);
    while (encoder.after < block!.last) {
      const { bytes } = encoder.encode(block!, limit);
      const text = new TextDecoder().decode(bytes);
      if (new Set(readFrames(text).map(({ id }) => seqOf(id))).size > 1) assert.ok(bytes.length < 3 * limit);
    }
  });
}

/** A first frame after a cursor may say `prev`, which it does not say in the middle. */
const withoutPrev = (frames: readonly SpokenFrame[]): readonly SpokenFrame[] =>
  frames.map((frame) => {
    if (typeof frame.data !== 'object' || frame.data === null || !('prev' in frame.data)) return frame;
    const { prev: _, ...data } = frame.data;
    return { ...frame, data };
  });

/** Frames without what tells where they stand. */
const contents = (frames: readonly SpokenFrame[]): unknown[] =>
  frames.map(({ event, data }) => {
    if (typeof data !== 'object' || data === null) return [event, data];
    const { seq: _, prev: __, ...rest } = data as Record<string, unknown>;
    return [event, rest];
  });

function checkSpans(frames: readonly SpokenFrame[], spans: DialectHarness['spans']): void {
  const open = new Set<string>();
  for (const frame of frames) {
    const { begins, ends } = spans?.(frame) ?? {};
    if (begins !== undefined) open.add(begins);
    if (ends !== undefined) assert.ok(open.delete(ends), `${ends} ends and has not begun`);
  }
}
