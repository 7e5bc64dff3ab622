/** A client of several streams on one connection: tells them apart, and has each recorded as if it were alone. */
import { createParser, type EventSourceMessage, type EventSourceParser } from 'eventsource-parser';
import { native } from '../dialects/index.ts';
import { formatCursor, parseComposite, type StreamHello, streamKey } from '../protocol/index.ts';
import { checkHistory, type Finding, type SeenEvent } from '../testing/history-checker.ts';
import type { Hub, ManyRequest } from './index.ts';
import { RecordedSink, type RecordedViewer, Recording } from './recording.fixture.ts';

/** The records of several threads, since each has a history of its own. */
export class ManyRecording {
  readonly #recordings = new Map<string, Recording>();

  of(threadId: string): Recording {
    const known = this.#recordings.get(threadId) ?? new Recording();
    this.#recordings.set(threadId, known);
    return known;
  }

  /** What is wrong with the histories of all threads. `view`: what every viewer wanted. */
  findings(view: (event: SeenEvent, stream: string) => boolean): readonly Finding[] {
    return [...this.#recordings.values()].flatMap(({ records }) => {
      const viewers = new Set(records.flatMap((it) => ('viewer' in it ? [it.viewer] : [])));
      const views = [...viewers].map((name) => [name, (event: SeenEvent) => view(event, name.split(' ')[1]!)]);
      return checkHistory(records, { views: Object.fromEntries(views) });
    });
  }
}

/** The one view of a run or thread that every such stream has: the run's events, or all. */
export const ofStream = ({ runId }: SeenEvent, stream: string): boolean =>
  stream.startsWith('thread:') || stream === `run:${runId}`;

/** One viewer over all its connections. Its streams may change from one to the next. */
export class ManyViewer {
  /** The last id it was given: all that a browser sends back. */
  cursor: string | undefined;
  readonly frames: EventSourceMessage[] = [];
  readonly streams = new Map<string, RecordedViewer>();
  retry: number | undefined;
  readonly #name: string;
  readonly #recording: ManyRecording;
  readonly #epochs = new Map<string, string>();
  #parser: EventSourceParser | undefined;
  #listed: readonly string[] = [];

  constructor(name = 'v', recording = new ManyRecording()) {
    this.#name = name;
    this.#recording = recording;
  }

  get ended(): boolean {
    return this.frames.at(-1)?.event === 'stream.bye';
  }

  /** A connection for these streams, each with the thread it is in. */
  connected(streams: Readonly<Record<string, string>>): void {
    this.#listed = Object.keys(streams);
    for (const [name, threadId] of Object.entries(streams)) {
      const viewer = this.streams.get(name) ?? this.#recording.of(threadId).viewer(`${this.#name} ${name}`);
      this.streams.set(name, viewer);
      viewer.connected();
    }
    this.#parser = createParser({ onEvent: (frame) => this.#take(frame), onRetry: (retry) => (this.retry = retry) });
  }

  feed(text: string): void {
    this.#parser?.feed(text);
  }

  disconnected(): void {
    this.#parser = undefined;
    for (const name of this.#listed) this.streams.get(name)!.disconnected();
  }

  complete(): void {
    for (const viewer of this.streams.values()) viewer.complete();
  }

  /** Names of the frames of one stream, with the numbers in their own part of the id. */
  names(stream: string): readonly string[] {
    return this.streams.get(stream)!.frames.map(({ event, id }) => `${event} ${id?.split('.')[1] ?? '-'}`);
  }

  #take(frame: EventSourceMessage): void {
    this.frames.push(frame);
    if (frame.event === 'stream.bye' || frame.event === 'stream.refused') return;
    const data = JSON.parse(frame.data) as { stream?: string; epoch?: string; seq?: number };
    const [own] = frame.id === undefined ? [] : [...parseComposite(frame.id)!.values()];
    const name = data.stream ?? this.#listed.find((it) => streamKey(it) === own?.key);
    if (name === undefined || (own && own.key !== streamKey(name)))
      throw new Error(`Whose is ${JSON.stringify(frame)}?`);
    if (frame.event === 'stream.hello') this.#epochs.set(name, (data as StreamHello).epoch);
    if (frame.id !== undefined) this.cursor = frame.id;
    const id = own && `id: ${formatCursor(data.epoch ?? this.#epochs.get(name)!, own.seq)}\n`;
    this.streams.get(name)!.feed(`${id ?? ''}event: ${frame.event}\ndata: ${frame.data}\n\n`);
  }
}

/** A run of its own thread, a run of another, or a thread, under the names that PROTOCOL.md gives to streams. */
export const run = (id: string, threadId = id): [name: string, threadId: string] => [`run:${id}`, threadId];
export const thread = (id: string): [name: string, threadId: string] => [`thread:${id}`, id];

interface WatchAll extends Partial<Pick<ManyRequest['streams'][number], 'from' | 'coalesce' | 'selection'>> {
  readonly viewer?: ManyViewer;
  readonly room?: number;
}

/** Opens streams for a viewer, after the last id it has. Every event by itself, unless a test asks for merged deltas. */
export async function watchAll(
  hub: Hub,
  streams: readonly [name: string, threadId: string][],
  { viewer = new ManyViewer(), room, from, coalesce = false, selection = {} }: WatchAll = {},
) {
  const threads = Object.fromEntries(streams);
  const sink = new RecordedSink(
    {
      connected: () => viewer.connected(threads),
      feed: (text) => viewer.feed(text),
      disconnected: () => viewer.disconnected(),
    },
    room,
  );
  const outcome = await hub.openAll(
    {
      streams: streams.map(([name, threadId]) => {
        const [kind, id] = name.split(':') as [string, string];
        const own = { ...selection, ...(kind === 'run' && { runId: id }) };
        return { name, dialect: native, threadId, selection: own, coalesce, ...(from && { from }) };
      }),
      ...(viewer.cursor !== undefined && { cursor: viewer.cursor }),
    },
    sink,
  );
  return { viewer, sink, outcome };
}
