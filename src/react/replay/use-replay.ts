import { useEffect, useMemo, useSyncExternalStore } from 'react';
import type { RunView } from '../../client/index.ts';
import {
  type Change,
  Playback,
  type PlaybackControls,
  type PlaybackView,
  Replay,
  type Replayed,
  type ReplayView,
  type Stretch,
} from '../../client/replay/index.ts';
import type { RunSnapshot } from '../../protocol/index.ts';
import { useTelltale } from '../provider.ts';
import type { Readable } from '../readable.ts';
import { type OpenedRun, open } from '../run-source.ts';
import { momentOf } from './moment.ts';

export interface ReplayOptions {
  /** The number of the event to begin at, and to go to when it changes: of a link, say. Without it, the run as it is now. */
  readonly at?: number | undefined;
  /** Where the stream of the live run begins. With `start` it is the one of `useRun(runId)`, with `snapshot` (default) a short one. */
  readonly from?: 'start' | 'snapshot' | undefined;
  /** `false` reads no events yet: of a run that nobody asked to replay, only what is known of it now is told. */
  readonly enabled?: boolean | undefined;
}

/** A run as it was: how much of it is at hand, which moment is shown, and what moves that. */
export interface ReplayResult extends ReplayView, Omit<PlaybackView, 'seq'>, PlaybackControls {
  readonly runId: string;
  /** The number of the last event of the moment that is shown. */
  readonly seq: number;
  /** The run at that moment; `undefined` as long as it was not read. */
  readonly at: RunSnapshot | undefined;
  /** When that was by the log, in milliseconds since 1970, and how long after the first event. */
  readonly time: number;
  readonly elapsedMs: number;
  /** The run is shown as it is now, and goes on being. */
  readonly isLive: boolean;
  /** What the event of this moment changed. Costs a few milliseconds. */
  changes(): readonly Change[];
  /**
   * Where an event stands on a line of time in which a wait counts two seconds at most, in milliseconds after the first one;
   * the number of the last event up to a place on it; and that line in so many parts, for a picture of it.
   */
  place(seq: number): number;
  seqAt(place: number): number;
  stretches(count: number): readonly Stretch[];
  /** Reads on now, where `error` says that it does not. */
  retry(): void;
  /** What `Replaying` shows. */
  readonly shown: { readonly runId: string; readonly opened: OpenedRun };
}

/**
 * A run, replayed: live until somebody seeks, then as it stood at that event. Reads all events of the run while a component
 * uses it, and forgets them when the last one is gone. Errors are told, not thrown. Renders when the moment changes, at most
 * once a frame, and while it reads.
 *
 * @example
 * const replay = useReplay(runId, { at: search.at });
 * <input type="range" min={replay.first} max={replay.last} value={replay.seq} onChange={(it) => replay.seek(it.target.valueAsNumber)} />
 * <Replaying of={replay}><Timeline.Root runId={runId} /></Replaying>
 */
export function useReplay(runId: string, { at, from = 'snapshot', enabled = true }: ReplayOptions = {}): ReplayResult {
  const client = useTelltale();
  // biome-ignore lint/correctness/useExhaustiveDependencies: where it begins; from then on the effect below goes there.
  const { replay, playback, moment, now } = useMemo(() => {
    const now = open(client, runId, from);
    const replay = new Replay(now.run ?? nobody(runId, now.store));
    const playback = new Playback(replay, at);
    return { now, replay, playback, moment: momentOf(replay, playback) };
  }, [client, runId, from]);

  useEffect(() => {
    if (!enabled) return;
    replay.open();
    return () => {
      playback.pause();
      replay.close();
    };
  }, [replay, playback, enabled]);
  useEffect(() => {
    if (at !== undefined && at !== playback.getSnapshot().seq) playback.seek(at);
  }, [playback, at]);

  const read = useStore(replay);
  const { seq, ...playing } = useStore(playback);
  const isLive = seq === undefined;
  const opened = useMemo<OpenedRun>(() => (isLive ? now : { store: moment }), [now, moment, isLive]);
  const shown = useMemo(() => ({ runId, opened }), [runId, opened]);
  const { data } = useStore(opened.store);
  const [number, time] = [seq ?? data?.seq ?? 0, replay.time(seq ?? Number.POSITIVE_INFINITY)];
  return {
    ...read,
    ...playing,
    ...playback.controls,
    runId,
    seq: number,
    at: data,
    time,
    elapsedMs: Math.max(0, time - replay.time(read.first)),
    isLive,
    changes: () => replay.changes(number),
    place: (it) => replay.place(it),
    seqAt: (it) => replay.seqAt(it),
    stretches: (count) => replay.stretches(count),
    retry: () => replay.retry(),
    shown,
  };
}

function useStore<View>(store: Pick<Readable<View>, 'subscribe' | 'getSnapshot'> & Partial<Readable<View>>): View {
  return useSyncExternalStore(store.subscribe, store.getSnapshot, store.getServerSnapshot ?? store.getSnapshot);
}

/** An id that is none: what reads it is told so. */
function nobody(runId: string, { subscribe, getSnapshot }: Readable<RunView>): Replayed {
  return { runId, subscribe, getSnapshot, page: async () => Promise.reject(getSnapshot().error), reconnect() {} };
}
