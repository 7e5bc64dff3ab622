import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { describe, expect, it } from 'vitest';
import type { Head } from './cursor.ts';
import { TelltaleError } from './errors.ts';
import {
  byeFrame,
  caughtUpFrame,
  endedFrame,
  epochOf,
  helloFrame,
  progressFrame,
  refusalOf,
  refusedFrame,
  resetFrame,
} from './stream.ts';

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
    ['stream.caught-up', caughtUpFrame(9, 'run:r'), undefined, { stream: 'run:r', seq: 9 }],
    ['stream.progress', progressFrame('C', 9, 'run:r'), 'C.9', { stream: 'run:r', seq: 9 }],
    ['stream.ended', endedFrame('run:r'), undefined, { stream: 'run:r', reason: 'ended' }],
    [
      'stream.refused',
      refusedFrame(refusalOf('run:r', new TelltaleError('run_not_found', 'No.'))!),
      undefined,
      { stream: 'run:r', code: 'run_not_found', detail: 'No.' },
    ],
  ])('%s carries an id only where it moves the cursor', (event, frame, id, data) => {
    const message = parse(frame);
    expect([message.event, message.id, JSON.parse(message.data)]).toEqual([event, id, data]);
  });

  it('refuse a stream for what is wrong with it alone, never for what may pass', () => {
    expect(refusalOf('run:r', new TelltaleError('log_unavailable', 'Later.'))).toBeUndefined();
    expect(refusalOf('run:r', new TypeError('a bug'))).toBeUndefined();
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
