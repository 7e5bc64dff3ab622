import { createParser, type EventSourceMessage } from 'eventsource-parser';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TelltaleError } from './errors.ts';
import { eventFrameOffsets, type Frame, writeComment, writeEventFrame, writeFrame, writeRetry } from './frame.ts';

/** What a real parser makes of a stream that arrives in pieces of so many bytes. */
function parse(text: string, pieceBytes = Number.POSITIVE_INFINITY) {
  const messages: EventSourceMessage[] = [];
  const comments: string[] = [];
  const retries: number[] = [];
  const errors: unknown[] = [];
  const parser = createParser({
    onEvent: (message) => messages.push(message),
    onComment: (comment) => comments.push(comment),
    onRetry: (ms) => retries.push(ms),
    onError: (error) => errors.push(error),
  });
  const bytes = new TextEncoder().encode(text);
  const decoder = new TextDecoder();
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    parser.feed(decoder.decode(bytes.subarray(at, at + pieceBytes), { stream: true }));
  }
  return { messages, comments, retries, errors };
}

/** Text that goes wrong where text can go wrong. */
const nasty = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom('\n', '\r', '\0', ':', ' ', 'data: ', 'id: 1', '\u2028', '\ufeff', '\ud800', '漢', '🙂'),
  }),
  fc.json(),
  fc.string({ unit: 'grapheme' }),
);

const frames: fc.Arbitrary<Frame> = fc.record(
  { id: fc.oneof(fc.constant('k3f9.7'), nasty), event: fc.oneof(fc.constant('tool.called'), nasty), data: nasty },
  { requiredKeys: ['data'] },
);

describe('P5: frames', () => {
  it('come back from a parser as they went in, whole and byte by byte, or are refused', () => {
    let written = 0;
    fc.assert(
      fc.property(fc.array(frames, { maxLength: 5 }), (list) => {
        let stream = '';
        const expected: EventSourceMessage[] = [];
        for (const frame of list) {
          try {
            stream += writeFrame(frame);
          } catch (error) {
            expect(error).toBeInstanceOf(TelltaleError);
            continue;
          }
          expected.push({ id: frame.id, event: frame.event, data: frame.data });
          written++;
        }
        for (const size of [Number.POSITIVE_INFINITY, 1, 7]) {
          const { messages, comments, errors } = parse(stream, size);
          expect(messages).toEqual(expected);
          expect([...comments, ...errors]).toEqual([]);
        }
      }),
      { numRuns: 500 },
    );
    // Not refused for convenience.
    expect(written).toBeGreaterThan(100);
  });

  it.each([
    ['a line break in the id', { id: 'a\nb', data: '' }],
    ['a space in the id', { id: 'a b', data: '' }],
    ['an empty id', { id: '', data: '' }],
    ['an id beyond 64 characters', { id: 'x'.repeat(65), data: '' }],
    ['an id that is not ASCII', { id: 'é', data: '' }],
    ['a carriage return in the event', { event: 'a\rdata: x', data: '' }],
    ['an empty event', { event: '', data: '' }],
    ['a line feed in the data', { data: 'a\nid: 9' }],
    ['a carriage return in the data', { data: 'a\rid: 9' }],
    ['half a character in the data', { data: '\ud83d' }],
  ])('refuse %s', (_, frame) => {
    expect(() => writeFrame(frame)).toThrow(TelltaleError);
  });

  it('are one data line under LF only, whatever JSON they carry', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const frame = writeFrame({ id: 'e.1', event: 'custom', data: JSON.stringify(value) });
        expect(frame).not.toContain('\r');
        expect(frame.split('\n')).toHaveLength(5);
        expect(frame.endsWith('\n\n')).toBe(true);
      }),
    );
  });

  it('are event frames whose id is the cursor and whose number comes first', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z0-9]{1,32}$/),
        fc.integer({ min: 1 }),
        fc.jsonValue(),
        (epoch, seq, value) => {
          const rest = `"type":"custom","data":${JSON.stringify({ value })}}`;
          const frame = writeEventFrame(epoch, seq, 'custom', rest);
          const [message, ...none] = parse(frame, 1).messages;
          expect(none).toEqual([]);
          expect(message).toMatchObject({ id: `${epoch}.${seq}`, event: 'custom' });
          expect(message?.data.startsWith(`{"seq":${seq},"epoch":"${epoch}",`)).toBe(true);
          expect(JSON.parse(message?.data ?? '')).toEqual({
            seq,
            epoch,
            type: 'custom',
            data: { value: JSON.parse(JSON.stringify(value)) },
          });
          const at = eventFrameOffsets(epoch, seq, 'custom');
          expect(frame.slice(at.event)).toMatch(/^event: custom\n/);
          expect(frame.slice(at.json)).toBe(`${message?.data}\n\n`);
          expect(frame.slice(at.rest)).toBe(`"epoch":"${epoch}",${rest}\n\n`);
        },
      ),
    );
  });
});

describe('P6: comments and retry', () => {
  it('are seen as such and dispatch nothing, whatever the text', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        for (const size of [Number.POSITIVE_INFINITY, 1]) {
          const { messages, comments, errors } = parse(writeComment(text) + writeFrame({ data: 'x' }), size);
          expect(messages).toEqual([{ data: 'x' }]);
          expect(comments).toHaveLength(1);
          expect(errors).toEqual([]);
        }
      }),
    );
    expect(parse(writeComment('heartbeat e.7')).comments).toEqual(['heartbeat e.7']);
  });

  it('tell the time to wait in whole milliseconds, never less than none', () => {
    expect([2500.4, 0, -3].map((ms) => parse(writeRetry(ms)).retries)).toEqual([[2500], [0], [0]]);
  });
});
