import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LIMITS, parseDraft, utf8Length } from '../protocol/index.ts';
import { fitEvent, pieces } from './fit.ts';

const CONTEXT = { threadId: 't', runId: 'r', time: '2026-11-20T18:00:00.000Z' };
const big = 'x'.repeat(300 * 1024);

/** The stored data of each event that came of it. Also: every one fits and is valid. */
function stored(type: string, data: Record<string, unknown>, maxBytes: number = LIMITS.eventBytes) {
  const { events, truncated } = fitEvent({ type, data }, CONTEXT, maxBytes);
  const all = events.map((event) => {
    expect(event.bytes).toBeLessThanOrEqual(maxBytes);
    expect(event.bytes).toBe(utf8Length(event.rest));
    const { data: it } = JSON.parse(`{${event.rest}`);
    parseDraft({ type, data: it });
    return it;
  });
  return { all, truncated };
}

describe('P9: a value that is too large is stored as {truncated, bytes, preview}', () => {
  const marker = { truncated: true, bytes: big.length + 2, preview: 'x'.repeat(1024) };

  test.each([
    ['tool.completed', 'result', { toolCallId: 't' }],
    ['tool.called', 'args', { toolCallId: 't', name: 'n' }],
    ['run.completed', 'output', {}],
    ['agent.started', 'input', { model: 'm' }],
    ['custom', 'value', { name: 'n' }],
    ['my.own', 'anything', { small: 1 }],
  ])('%s %s', (type, field, others) => {
    expect(stored(type, { ...others, [field]: big })).toEqual({
      all: [{ ...others, [field]: marker }],
      truncated: true,
    });
  });

  test('only the largest give way, until it fits', () => {
    const half = 'y'.repeat(200 * 1024);
    const { all } = stored('tool.completed', { toolCallId: 't', result: big, note: half, other: 'z' });
    expect(all).toEqual([{ toolCallId: 't', result: marker, note: half, other: 'z' }]);
  });

  test('where the type wants a text, the text is cut and says so', () => {
    const { all } = stored('error.reported', { error: { code: 'c', message: big } });
    expect(all[0].error.message).toMatch(/^x{16384} … \[truncated: 307202 bytes\]$/);
  });

  test('what cannot be shortened is refused', () => {
    const steps = Array.from({ length: 10_000 }, (_, i) => ({ id: `step-${i}`, name: 'a step' }));
    expect(() => stored('plan.created', { steps })).toThrow(expect.objectContaining({ code: 'event_too_large' }));
  });
});

describe('a delta that is too large becomes several, without loss', () => {
  test.each([
    ['ASCII', big],
    ['control characters, six bytes each', '\u001f'.repeat(100_000)],
    ['surrogate pairs', '👀'.repeat(150_000)],
  ])('%s', (_name, delta) => {
    const { all, truncated } = stored('message.delta', { messageId: 'm', delta });
    expect(all.length).toBeGreaterThan(1);
    expect(all.map((it) => it.delta).join('')).toBe(delta);
    expect(all.every((it) => it.messageId === 'm' && it.delta.isWellFormed())).toBe(true);
    expect(truncated).toBe(false);
  });

  test('any text, cut anywhere, is whole again when joined (property)', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 200 }), (text, maxBytes) => {
        const all = [...pieces(text, maxBytes)];
        expect(all.join('')).toBe(text);
        expect(all.every((it) => it.length > 0)).toBe(true);
      }),
    );
  });
});
