import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { describe, expect, it } from 'vitest';
import type { Head } from './cursor.ts';
import { byeFrame, caughtUpFrame, epochOf, helloFrame, progressFrame, resetFrame } from './stream.ts';

function parse(frame: string): EventSourceMessage {
  const messages: EventSourceMessage[] = [];
  createParser({ onEvent: (message) => messages.push(message) }).feed(frame);
  expect(messages).toHaveLength(1);
  return messages[0] as EventSourceMessage;
}

const head: Head = {
  epoch: 'C',
  first: 3,
  last: 9,
  epochs: [
    { id: 'A', after: 0 },
    { id: 'B', after: 4 },
    { id: 'C', after: 6 },
  ],
};

describe("P6: the stream's own frames", () => {
  it.each([
    [
      'stream.hello',
      helloFrame({ threadId: 't', runId: 'r', epoch: 'C', earliest: 3, latest: 9, heartbeatMs: 15_000 }),
      undefined,
      { threadId: 't', runId: 'r', epoch: 'C', earliest: 3, latest: 9, heartbeatMs: 15_000 },
    ],
    ['stream.caught-up', caughtUpFrame(9), undefined, { seq: 9 }],
    ['stream.progress', progressFrame('C', 9), 'C.9', { seq: 9 }],
    [
      'stream.reset',
      resetFrame({ reason: 'truncated', shared: 1 }, 2, head),
      'A.2',
      { reason: 'truncated', earliest: 3, latest: 9, shared: 1, after: 2 },
    ],
    ['stream.bye', byeFrame(), undefined, { reason: 'ended' }],
  ])('%s carries an id only where it moves the cursor', (event, frame, id, data) => {
    const message = parse(frame);
    expect([message.event, message.id, JSON.parse(message.data)]).toEqual([event, id, data]);
  });

  it('name the epoch that numbered an event', () => {
    const epochs = [0, 1, 4, 5, 6, 7, 9].map((seq) => epochOf(head, seq));
    expect(epochs).toEqual(['A', 'A', 'A', 'B', 'B', 'C', 'C']);
    expect(
      epochOf(
        {
          ...head,
          epochs: [
            { id: 'A', after: 0 },
            { id: 'B', after: 0 },
          ],
        },
        0,
      ),
    ).toBe('B');
  });
});
