/** Viewers of a hub without sockets. */
import { afterEach } from 'vitest';
import { type Dialect, native, type Selection } from '../dialects/index.ts';
import type { Log } from '../log/index.ts';
import { Hub, type HubOptions, type StreamRequest } from './index.ts';
import { RecordedSink, RecordedViewer, until } from './recording.fixture.ts';

const hubs: Hub[] = [];
afterEach(async () => {
  await Promise.all(hubs.splice(0).map((hub) => hub.close()));
});

/** A hub that is closed after the test. */
export function hubOn(log: Log, options: HubOptions = {}): Hub {
  const hub = new Hub(log, options);
  hubs.push(hub);
  return hub;
}

interface Watch {
  readonly selection?: Selection;
  readonly from?: StreamRequest['from'];
  /** Every event by itself, unless a test asks for merged deltas. */
  readonly coalesce?: boolean | 'default';
  readonly room?: number;
  readonly dialect?: Dialect;
  readonly viewer?: RecordedViewer;
  readonly thread?: string;
}

export async function watch(
  hub: Hub,
  {
    selection = {},
    from,
    coalesce = false,
    room,
    dialect = native,
    viewer = new RecordedViewer('v'),
    thread = 't',
  }: Watch = {},
) {
  const sink = new RecordedSink(viewer, room);
  const { cursor } = viewer;
  const request = {
    dialect,
    threadId: thread,
    selection,
    ...(coalesce !== 'default' && { coalesce }),
    ...(cursor !== undefined && { cursor }),
    ...(from && { from }),
  };
  const outcome = await hub.open(request, sink);
  return { viewer, sink, outcome };
}

export const caughtUp = (viewer: RecordedViewer): Promise<void> =>
  until(() => viewer.frames.some(({ event }) => event === 'stream.caught-up'));

/** What a viewer was given: the frames' names, and the numbers in their ids. */
export const names = ({ frames }: RecordedViewer): readonly string[] =>
  frames.map(({ event, id }) => `${event} ${id?.split('.')[1] ?? '-'}`);
