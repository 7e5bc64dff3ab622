import type { RunView } from '../../client/index.ts';
import type { Playback, Replay, Replayed } from '../../client/replay/index.ts';
import type { Readable } from '../readable.ts';

/** How many events of a moment are at hand: what is read for it anyway. */
const EVENTS = 250;

/**
 * The moment at which a playback stands, as a store shows a run. `connection` is `replaying`, or `catching-up` as long as
 * that moment was not read yet; what was shown last stays meanwhile.
 */
export function momentOf(
  replay: Replay,
  playback: Playback,
): Readable<RunView> & Pick<Replayed, 'page'> & { moment(): number } {
  let known: RunView | undefined;
  let place: readonly unknown[] = [];

  function getSnapshot(): RunView {
    const { seq = 0 } = playback.getSnapshot();
    const { last, isLoading, error, resets } = replay.getSnapshot();
    const isRead = seq <= last || !isLoading;
    const now = [seq, isRead, isRead && seq < last ? 0 : last, error, resets];
    if (known && now.every((it, i) => it === place[i])) return known;
    place = now;
    known = isRead ? read(seq, resets) : awaited(seq, last);
    return known;
  }

  function read(seq: number, resets: number): RunView {
    const found = replay.at(seq);
    const data = found.seq > 0 ? found : undefined;
    return {
      ...{ connection: 'replaying', error: undefined, attempt: 0, retryAt: undefined },
      ...{ data, status: data?.status ?? 'pending', events: replay.events(seq, EVENTS) },
      ...{ lastSeq: found.seq, latest: found.seq, lastEventAt: undefined, resets },
    };
  }

  function awaited(seq: number, last: number): RunView {
    const { error, resets } = replay.getSnapshot();
    return {
      ...{ connection: 'catching-up', error, attempt: 0, retryAt: undefined },
      ...{ data: known?.data, status: known?.status ?? 'pending', events: known?.events ?? [] },
      ...{ lastSeq: last, latest: seq, lastEventAt: undefined, resets },
    };
  }

  return {
    subscribe(listener) {
      const leave = replay.subscribe(listener);
      const part = playback.subscribe(listener);
      return () => {
        leave();
        part();
      };
    },
    getSnapshot,
    getServerSnapshot: getSnapshot,
    page: replay.run.page,
    moment: () => replay.time(getSnapshot().lastSeq),
  };
}
