import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockAfter, buildBlock, mergeBlocks } from '../log/index.ts';
import type { Block } from './block.ts';
import { type EncodedEvent, encodeEvent, entityKey, utf8Length } from './encode.ts';
import { TelltaleError } from './errors.ts';
import { eventFrameOffsets, writeEventFrame } from './frame.ts';

const context = { threadId: 't1', runId: 'r1', time: '2026-11-20T18:00:00.000Z' };
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('"', '\\', '\n', 'é', '🙂', '\ud800', '}', ',') }),
);
const agent = fc.option(fc.record({ id: text, name: text, path: text }), { nil: undefined });
const DELTAS = [
  ['message.delta', 'messageId'],
  ['reasoning.delta', 'reasoningId'],
  ['tool.args.delta', 'toolCallId'],
] as const;

const without = <T extends object>(data: T, ...names: string[]) =>
  Object.fromEntries(Object.entries(data).filter(([name]) => !names.includes(name)));

const drafts = fc.oneof(
  fc
    .record({
      kind: fc.constantFrom(...DELTAS),
      id: text,
      delta: text,
      agent,
      more: fc.dictionary(text, fc.jsonValue()),
    })
    .map(({ kind: [type, field], id, delta, agent, more }) => ({
      // The delta first, to be put last.
      draft: { type, data: { delta, ...without(more, 'delta', field), [field]: id }, ...(agent && { agent }) },
      delta,
      entity: entityKey(type, id, agent),
    })),
  fc.record({ value: fc.jsonValue(), agent }).map(({ value, agent }) => ({
    draft: { type: 'custom', data: { name: 'n', value }, ...(agent && { agent }) },
    delta: undefined,
    entity: undefined,
  })),
);

const bytesOf = (part: Uint8Array): string => new TextDecoder('utf-8', { fatal: true }).decode(part);

/** Every event of the block stands where its entry says, as valid JSON with its number first. */
function check(block: Block, batch: readonly EncodedEvent[]): void {
  expect(block.last).toBe(block.first + batch.length - 1);
  let end = 0;
  for (const [index, event] of batch.entries()) {
    const seq = block.first + index;
    const entry = block.entry(seq);
    expect(entry.start).toBe(end);
    end = entry.end;
    const frame = bytesOf(block.bytes.subarray(entry.start, end));
    expect(frame).toBe(writeEventFrame(block.epoch, seq, event.type, event.rest));
    const json = bytesOf(block.json(seq));
    expect(frame.endsWith(`\ndata: ${json}\n\n`)).toBe(true);
    expect(frame.slice(eventFrameOffsets(block.epoch, seq, event.type).json)).toBe(`${json}\n\n`);
    expect(block.event(seq)).toEqual(JSON.parse(json));
    expect(block.event(seq)).toMatchObject({ seq, epoch: block.epoch, ...context, type: event.type });
    expect(block.offsetAfter(seq)).toBe(end);
  }
  expect(end).toBe(block.bytes.length);
  expect(block.offsetAfter(0)).toBe(0);
  expect(block.offsetAfter(block.last + 7)).toBe(block.bytes.length);
  expect([...block.events()].map(({ seq }) => seq)).toEqual(batch.map((_, i) => block.first + i));
  expect([...block.events(block.first)].length).toBe(batch.length - 1);
}

describe('P5: a block', () => {
  it('holds each event as its frame, where its entry says, with the bytes of its delta', () => {
    fc.assert(
      fc.property(
        fc.array(drafts, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 1e12 }),
        (list, first) => {
          const batch = list.map(({ draft }) => encodeEvent(draft, context));
          const block = buildBlock('k3f9', first, batch);
          check(block, batch);
          for (const [index, { draft, delta, entity }] of list.entries()) {
            const { deltaBytes, end, ...entry } = block.entry(first + index);
            expect([entry.type, entry.runId, entry.agent, entry.entity]).toEqual([
              draft.type,
              'r1',
              draft.agent,
              entity,
            ]);
            if (delta === undefined) expect(deltaBytes).toBeUndefined();
            else {
              expect(bytesOf(block.bytes.subarray(end - 5, end))).toBe('"}}\n\n');
              const escaped = bytesOf(block.bytes.subarray(end - 5 - (deltaBytes ?? 0), end - 5));
              expect(`"${escaped}"`).toBe(JSON.stringify(delta));
            }
          }
        },
      ),
    );
  });

  it('is the same whole, cut anywhere and joined again', () => {
    fc.assert(
      fc.property(fc.array(drafts, { minLength: 2, maxLength: 9 }), fc.nat(7), (list, cut) => {
        const batch = list.map(({ draft }) => encodeEvent(draft, context));
        const whole = buildBlock('k3f9', 95, batch);
        const at = 1 + (cut % (batch.length - 1));
        const tail = blockAfter(whole, 94 + at);
        check(tail, batch.slice(at));
        const parts = [buildBlock('k3f9', 95, batch.slice(0, at)), buildBlock('k3f9', 95 + at, batch.slice(at))];
        const joined = mergeBlocks(parts);
        expect(joined.entries).toEqual(whole.entries);
        expect(Buffer.from(joined.bytes).equals(Buffer.from(whole.bytes))).toBe(true);
        expect(blockAfter(whole, 94)).toBe(whole);
      }),
    );
  });

  it('is never joined over a hole or an epoch', () => {
    const event = encodeEvent({ type: 'custom', data: { name: 'n', value: 1 } }, context);
    const one = buildBlock('e', 1, [event]);
    expect(() => mergeBlocks([one, buildBlock('e', 3, [event])])).toThrow(RangeError);
    expect(() => mergeBlocks([one, buildBlock('f', 2, [event])])).toThrow(RangeError);
    expect(() => mergeBlocks([])).toThrow(RangeError);
  });

  it('knows no event that it does not hold', () => {
    const block = buildBlock('e', 5, [encodeEvent({ type: 'custom', data: {} }, context)]);
    for (const seq of [4, 6, 0, Number.NaN]) expect(() => block.event(seq)).toThrow(RangeError);
  });

  it('is not made of events that lie about their length', () => {
    const event = encodeEvent({ type: 'custom', data: { name: 'é', value: 'é' } }, context);
    for (const bytes of [event.bytes - 1, event.bytes + 1, event.rest.length]) {
      expect(() => buildBlock('e', 1, [{ ...event, bytes }])).toThrow(TelltaleError);
      expect(() => buildBlock('e', 1, [event, { ...event, bytes }, event])).toThrow(TelltaleError);
    }
  });
});

describe('P9: encoding an event', () => {
  it('says how many bytes it has, and refuses one byte more than the limit', () => {
    fc.assert(
      fc.property(drafts, ({ draft }) => {
        const { rest, bytes } = encodeEvent(draft, context);
        expect(bytes).toBe(Buffer.byteLength(rest));
        expect(encodeEvent(draft, context, bytes).rest).toBe(rest);
        expect(() => encodeEvent(draft, context, bytes - 1)).toThrow(
          expect.objectContaining({ code: 'event_too_large' }),
        );
      }),
    );
    expect(utf8Length('é'.repeat(5000))).toBe(10_000);
  });

  it('takes a delta that stands alone, and one that is no text', () => {
    const alone = encodeEvent({ type: 'message.delta', data: { delta: 'x' } as never }, context);
    expect(JSON.parse(`{${alone.rest}`).data).toEqual({ delta: 'x' });
    const odd = encodeEvent({ type: 'message.delta', data: { messageId: 'm', delta: 7 } as never }, context);
    expect(JSON.parse(`{${odd.rest}`).data).toEqual({ messageId: 'm', delta: 7 });
    expect(odd.deltaBytes).toBeUndefined();
  });

  it.each([
    [
      'a circle',
      () => {
        const data: Record<string, unknown> = {};
        data.self = data;
        return data;
      },
    ],
    ['a BigInt', () => ({ n: 1n })],
    ['what JSON leaves out', () => undefined as never],
    [
      'a toJSON that throws',
      () => ({
        toJSON() {
          throw new Error('no');
        },
      }),
    ],
  ])('refuses %s as invalid_event', (_, data) => {
    expect(() => encodeEvent({ type: 'my.type', data: data() }, context)).toThrow(
      expect.objectContaining({ code: 'invalid_event' }),
    );
  });

  it.each(['a\nb', 'a\r', 'error\n\nid: 5', '', 'a b', '__proto__'])(
    'refuses the type %j, which would break a frame',
    (type) => {
      expect(() => encodeEvent({ type, data: {} }, context)).toThrow(
        expect.objectContaining({ code: 'invalid_event' }),
      );
    },
  );

  it('puts the envelope before the data, optional members only where they are', () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const { rest } = encodeEvent({ type: 'custom', data: {}, traceparent }, { ...context, parentRunId: 'r0' });
    expect(JSON.parse(`{${rest}`)).toEqual({ ...context, type: 'custom', parentRunId: 'r0', traceparent, data: {} });
    const bare = encodeEvent({ type: 'custom', data: {} }, context);
    expect(Object.keys(JSON.parse(`{${bare.rest}`))).toEqual(['threadId', 'runId', 'type', 'time', 'data']);
  });
});
