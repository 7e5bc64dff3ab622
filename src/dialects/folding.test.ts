import { describe, expect, it, test } from 'vitest';
import { blocksOf, cutInto, framesOf, placeAfter, readFrames, textOf } from '../testing/dialect/kit.ts';
import { dialectCases } from '../testing/dialect.cases.ts';
import { foldingDialect } from './folding.ts';
import { formatRunCursor, parseRunCursor } from './run-cursor.ts';
import type { Said } from './said.ts';

/** Everything that a dialect may use: lines of text, ids that name the run, frames that join, a word at the beginning. */
const telling = foldingDialect<{ count: number }>({
  name: 'telling',
  types: ['run.started', 'message.delta', 'agent.started'],
  ids: 'run',
  begin: () => ({ count: 0 }),
  say(state, event): readonly Said[] {
    state.count++;
    if (event.type === 'message.delta') return [{ event: 'text', data: { content: event.data.delta } }];
    if (event.type === 'agent.started') return [{ data: `[${event.agent?.name}] invoked` }];
    return [
      { event: 'began', data: event.type },
      { event: 'count', data: { count: state.count } },
    ];
  },
  join(one, next) {
    if (one.event !== 'text' || next.event !== 'text') return undefined;
    const text = (it: Said) => (it.data as { content: string }).content;
    return { ...one, data: { content: text(one) + text(next) } };
  },
  words: {
    hello: () => [{ event: 'connected', data: { status: 'connected' } }],
    reset: (_stream, reason) => [{ event: 'connected', data: { status: 'connected', reset: reason } }],
  },
});

const delta = (text: string) => ['message.delta', { messageId: 'm', delta: text }] as const;
const agent = { agent: { id: 'a', name: 'A\r\nB', path: 'a' } };

describe('a dialect with ids that name the run, text and frames that join', () => {
  dialectCases({
    test: it,
    dialect: telling,
    golden: [
      {
        name: 'what it knows',
        events: [['run.started', { agent: 'a' }], ['agent.started', {}, agent], delta('a'), delta('b')],
        frames: [
          { id: 'r1.e1.1.1', event: 'began', data: 'run.started' },
          { id: 'r1.e1.1', event: 'count', data: { count: 1 } },
          { id: 'r1.e1.2', data: '[A B] invoked' },
          { id: 'r1.e1.3', event: 'text', data: { content: 'a' } },
          { id: 'r1.e1.4', event: 'text', data: { content: 'b' } },
        ],
      },
    ],
  });

  test('joins what only adds to a text, up to the next thing, and what is left of it after a cursor inside', () => {
    const [block] = cutInto(blocksOf([delta('a'), delta('b'), ['custom', { name: 'n', value: 1 }], delta('c'), ['agent.started', {}, agent], delta('d')]), 6); // biome-ignore format: one log
    const contents = (from?: string) =>
      framesOf(telling, [block!], { merge: true, ...(from !== undefined && { place: placeAfter(from) }) }).map(
        ({ id, data }) => [id, data],
      );
    const rest = [
      ['r1.e1.5', '[A B] invoked'],
      ['r1.e1.6', { content: 'd' }],
    ];
    expect(contents()).toEqual([['r1.e1.4', { content: 'abc' }], ...rest]);
    expect(contents('r1.e1.1')).toEqual([['r1.e1.4', { content: 'bc' }], ...rest]);
  });

  test('says of the stream what it has words for, in the form that was asked for', () => {
    const head = { epoch: 'e2', first: 1, last: 9, epochs: [{ id: 'e1', after: 0 }, { id: 'e2', after: 4 }] }; // biome-ignore format: one head
    const words = telling.words!({ threadId: 't', runId: 'r' });
    const reset = words.reset({ reason: 'diverged', shared: 4 }, 0, head);
    expect(reset).toBe('id: r.e1.0\nevent: connected\ndata: {"status":"connected","reset":"diverged"}\n\n');
    expect(words.heartbeat({ count: 1, time: '' })).toBe(': heartbeat\n\n');
    expect([words.progress('e1', 1), words.caughtUp(1), words.bye('deleted')]).toEqual(['', '', '']);
    const plain = telling.words!({ threadId: 't', asMessages: true });
    const hello = plain.hello({ threadId: 't', epoch: 'e1', earliest: 1, latest: 1, heartbeatMs: 1 });
    expect(hello).toBe('data: {"type":"connected","status":"connected"}\n\n');
  });
});

test('an event may become more frames than a cursor can count: those beyond share an id, and come again', () => {
  const many = foldingDialect<null>({
    name: 'many',
    types: ['run.started'],
    begin: () => null,
    say: () => Array.from({ length: 1001 }, (_, n) => ({ data: { n } })),
    words: { reset: () => [] },
  });
  const blocks = blocksOf([['run.started', { agent: 'a' }]]);
  const ids = readFrames(textOf(many, blocks)).map(({ id }) => id);
  expect([ids[0], ...ids.slice(-3)]).toEqual(['e1.1.1', 'e1.1.999', 'e1.1.999', 'e1.1']);
  expect(framesOf(many, blocks, { place: placeAfter('e1.1.999') })).toHaveLength(2);
});

describe('a cursor that names its run', () => {
  test('comes back as it was written', () => {
    const text = formatRunCursor('run_1-x', 'k3f9x0q2vd.12.3');
    expect([text, parseRunCursor(text)]).toEqual([
      'run_1-x.k3f9x0q2vd.12.3',
      { runId: 'run_1-x', cursor: 'k3f9x0q2vd.12.3' },
    ]);
  });

  test.each(['', '.', '.e1.2', 'no id.e1.2', 'x'.repeat(33), `${'x'.repeat(33)}.e1.2`, 'é.e1.2'])(
    '%j names none',
    (text) => {
      expect(parseRunCursor(text)).toBeUndefined();
    },
  );
});
