import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildBlock } from '../log/index.ts';
import {
  type AgentRef,
  type Block,
  deltasOf,
  emptySnapshot,
  encodeEvent,
  type RunSnapshot,
  reduce,
  reduceAll,
  type TelltaleEvent,
} from '../protocol/index.ts';
import { native, type Selection } from './index.ts';

type Draft = { type: string; data: Record<string, unknown>; agent?: AgentRef; traceparent?: string };
interface Said {
  readonly draft: Draft;
  readonly runId?: string;
  readonly time?: string;
}

const agent = (id: string): AgentRef => ({ id, name: `The "${id}", told`, path: `top/${id}` });
const blockOf = (said: readonly Said[]): Block =>
  buildBlock(
    'e1',
    1,
    said.map(({ draft, runId = 'a', time = '2026-11-20T18:00:00.000Z' }) =>
      encodeEvent(draft, { threadId: 't', runId, time }),
    ),
  );
const message = (delta: string, by?: string, more: Record<string, unknown> = {}): Said => ({
  draft: { type: 'message.delta', data: { messageId: 'm', ...more, delta }, ...(by && { agent: agent(by) }) },
});
const thought = (delta: string, by?: string): Said => ({
  draft: { type: 'reasoning.delta', data: { reasoningId: 'r', delta }, ...(by && { agent: agent(by) }) },
});
const other: Said = { draft: { type: 'custom', data: { name: 'n', value: 1 } } };

interface Frame {
  readonly id: string;
  readonly event: string | undefined;
  readonly data: TelltaleEvent;
}

function framesOf(bytes: Uint8Array): Frame[] {
  const frames = new TextDecoder().decode(bytes).split('\n\n').slice(0, -1);
  return frames.map((frame) => {
    const [, id, event, data] = /^id: ([^\n]*)\n(?:event: ([^\n]*)\n)?data: ([^\n]*)$/.exec(frame)!;
    return { id: id!, event, data: JSON.parse(data!) as TelltaleEvent };
  });
}

/** What comes after event `after`, which was the last frame before. */
function merged(block: Block, { selection = {} as Selection, after = 0, limit = Number.POSITIVE_INFINITY } = {}) {
  const encoder = native.encoder(selection, { begin: 0, after, prev: after });
  const frames: Frame[] = [];
  for (let ended = false; !ended && encoder.after < block.last; ) {
    const chunk = encoder.encode(block, limit, true);
    ended = chunk.ended;
    frames.push(...framesOf(chunk.bytes));
    if (chunk.lastId > 0) expect(chunk.lastId).toBe(frames.at(-1)!.data.seq);
  }
  return frames;
}

describe('merged deltas (P5)', () => {
  test('of one entity are one frame of their type: the envelope of the first, all the text, the id of the last', () => {
    const block = blockOf([other, message('é', 'x'), message('"\u2028\n', 'x'), message('', 'x'), message('b', 'x')]);
    const [first, frame, ...more] = merged(block);
    expect(more).toEqual([]);
    expect(first!.data).toEqual(block.event(1));
    const { seq: _, ...envelope } = block.event(2);
    const data = { messageId: 'm', delta: 'é"\u2028\nb' };
    expect(frame).toEqual({
      id: 'e1.5',
      event: 'message.delta',
      data: { ...envelope, data, seq: 5, prev: 1, first: 2, count: 4 },
    });
  });

  test('of several entities are one frame that names each once, in the order in which they began', () => {
    const said = [message('a', 'x'), thought('1', 'y'), message('b', 'x'), thought('2'), thought('3', 'y')];
    const block = blockOf(said);
    const [frame, ...more] = merged(block);
    expect(more).toEqual([]);
    expect(frame).toMatchObject({ id: 'e1.5', event: 'deltas.merged' });
    const { data, ...envelope } = frame!.data;
    const { data: _, agent: __, ...own } = block.event(1);
    expect(envelope).toEqual({ ...own, seq: 5, prev: 0, first: 1, count: 5, type: 'deltas.merged' });
    const part = (first: number, last: number, count: number, delta: string) => {
      const event = block.event(first);
      return { ...event, seq: last, first, count, data: { ...event.data, delta } };
    };
    expect(data).toEqual({ deltas: [part(1, 3, 2, 'ab'), part(2, 5, 2, '13'), part(4, 4, 1, '2')] });
    expect(deltasOf(frame!.data)).toBe((data as { deltas: object[] }).deltas);
  });

  test('are the stored frames, byte for byte and not copied, where nothing can be merged', () => {
    const block = blockOf([message('a', 'x'), thought('b', 'x'), message('c'), other, thought('d')]);
    const encoder = native.encoder({}, { begin: 0, after: 0, prev: 0 });
    expect(encoder.encode(block, Number.POSITIVE_INFINITY, true).bytes).toBe(block.bytes);
  });

  test.each<[string, Said, Said]>([
    ['other fields', message('a'), message('b', undefined, { lang: 'de' })],
    [
      'another trace',
      message('a'),
      { draft: { ...message('b').draft, traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` } },
    ],
    ['another run', message('a'), { ...message('b'), runId: 'b' }],
    [
      'another name of the agent',
      message('a', 'x'),
      { draft: { ...message('b').draft, agent: { ...agent('x'), name: 'X' } } },
    ],
  ])('end where an entity goes on with %s', (_, one, two) => {
    expect(merged(blockOf([one, one, two, two])).map(({ data }) => [data.first, data.seq])).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test('bridge what the view leaves out, and say so by `prev`', () => {
    const frames = merged(blockOf([other, message('a'), other, message('b'), other, other]), {
      selection: { types: ['message.*'] },
    });
    expect(frames.map(({ data: { prev, first, count, seq } }) => [prev, first, count, seq])).toEqual([[0, 2, 2, 4]]);
  });

  test('leave out the `event:` line with asMessages', () => {
    const [frame] = merged(blockOf([message('a'), thought('b'), message('c')]), { selection: { asMessages: true } });
    expect(frame).toMatchObject({ event: undefined, data: { type: 'deltas.merged' } });
  });

  test('are refused where some of them are folded in', () => {
    const block = blockOf([message('a'), message('b'), message('c')]);
    const [frame] = merged(block);
    const known = reduce(emptySnapshot('a', 't'), block.event(1));
    expect(() => reduce(known, frame!.data)).toThrow(
      expect.objectContaining({ code: 'stream_broken', particulars: { known: 1, first: 1, seq: 3 } }),
    );
    const all = reduceAll(known, [block.event(2), block.event(3)]);
    expect(reduce(all, frame!.data)).toBe(all);
  });
});

const delta = fc.record({
  type: fc.constantFrom(['message', 'messageId'], ['reasoning', 'reasoningId'], ['tool.args', 'toolCallId']),
  id: fc.constantFrom('1', '2', 'x 1', '"'),
  by: fc.constantFrom(undefined, 'x', 'y', 'x 1'),
  // Halves of a pair too: together they are one character.
  text: fc.constantFrom('', 'a', 'é\n', '\ud83d', '\ude00', '"}}', '\\'),
  more: fc.constantFrom({}, {}, {}, { n: 1 }),
});
const saying = fc.record({
  draft: fc.oneof(
    { weight: 8, arbitrary: delta },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Draft>(
        { type: 'message.started', data: { messageId: '1' }, agent: agent('x') },
        { type: 'message.completed', data: { messageId: '1' }, agent: agent('x') },
        { type: 'tool.called', data: { toolCallId: '2', name: 'n', args: {} }, agent: agent('y') },
        { type: 'custom', data: { name: 'n', value: 'v' } },
      ),
    },
  ),
  runId: fc.constantFrom('a', 'a', 'a', 'b'),
  time: fc.constantFrom('2026-11-20T18:00:00.000Z', '2026-11-20T18:00:00.001Z', '2026-11-20T18:00:01Z'),
});
const log = fc.array(saying, { minLength: 1, maxLength: 25 }).map((said) =>
  blockOf(
    said.map(({ draft: it, ...about }) => {
      if ('data' in it) return { draft: it, ...about };
      const { type, id, by, text, more } = it;
      const data = { [type[1]!]: id, ...more, delta: text };
      return { draft: { type: `${type[0]}.delta`, data, ...(by && { agent: agent(by) }) }, ...about };
    }),
  ),
);
const view = fc.record(
  {
    runId: fc.constantFrom('a', 'b'),
    types: fc.constantFrom(['message.*'], ['tool.*', 'reasoning.delta']),
    agents: fc.constantFrom(['x'], ['x 1', 'y']),
  },
  { requiredKeys: [] },
);

/** The folds of both runs over the same events, from where they were. */
const fold = (from: readonly RunSnapshot[], events: readonly TelltaleEvent[]) =>
  from.map((snapshot) => events.reduce(reduce, snapshot));
const EMPTY = ['a', 'b'].map((runId) => emptySnapshot(runId, 't'));

describe('whatever is said, by whoever, in whatever order (P5)', () => {
  test('merged frames fold to what the events fold to, from wherever a viewer comes back, and hide no hole', () => {
    fc.assert(
      fc.property(log, view, fc.integer({ min: 1, max: 3000 }), (block, selection, limit) => {
        const whole = native.encoder(selection, { begin: 0, after: 0, prev: 0 });
        const events = framesOf(whole.encode(block, Number.POSITIVE_INFINITY).bytes).map(({ data }) => data);
        const expected = fold(EMPTY, events);
        const asMerged = merged(block, { selection, limit });
        expect(
          fold(
            EMPTY,
            asMerged.map(({ data }) => data),
          ),
        ).toEqual(expected);
        expect(asMerged.reduce((sum, { data }) => sum + (data.count ?? 1), 0)).toBe(events.length);
        for (let after = 0; after <= block.last; after++) {
          const known = events.filter(({ seq }) => seq <= after);
          const rest = merged(block, { selection, limit, after }).map(({ data }) => data);
          expect(fold(fold(EMPTY, known), rest)).toEqual(expected);
          let last = after;
          for (const { prev, first, seq } of rest) {
            expect(prev ?? seq - 1).toBe(last);
            expect(first ?? seq).toBeGreaterThan(last);
            last = seq;
          }
        }
      }),
      { numRuns: process.env.TELLTALE_LONG ? 20_000 : 300 },
    );
  });
});
