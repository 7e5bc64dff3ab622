import { memo, type ReactElement, useDeferredValue } from 'react';
import { visible } from 'telltale/react/parts';
import { changeLine, type ReplayResult } from 'telltale/react/replay';
import { sinceStart } from '../run/when.tsx';
import { Copy } from '../ui/copy.tsx';
import { count, plural } from '../ui/format.ts';
import { momentOfDay, outOfRange, placeWords } from './words.ts';

export interface MomentProps {
  readonly replay: ReplayResult;
  /** The number of the run's newest event, and whether it ended. */
  readonly newest: number;
  readonly isEnded: boolean;
}

/** Which moment is shown: its event, its time, what changed at it; or why there is none. */
export function Moment({ replay, newest, isEnded }: MomentProps): ReactElement {
  const { seq, first, last, loaded, total, isLoading, error, at, time, elapsedMs } = replay;
  const isRead = loaded > 0 && (seq <= last || !isLoading);
  // What changed may come a frame after the moment: whoever drags does not wait for it.
  const later = useDeferredValue(replay);
  const trouble = outOfRange(replay, { isEnded, newest });
  return (
    <div className="replay-moment">
      {isEnded ? (
        <>
          <strong>Replay</strong>
          <span>{placeWords(Math.min(Math.max(seq, first), newest), newest)}</span>
        </>
      ) : (
        <strong>
          <span aria-hidden="true">‖ </span>View paused at {count(seq)}
          {at && ` · ${count(Math.max(0, total - at.events))} new`}
        </strong>
      )}
      {isRead && (
        <span>
          <time dateTime={new Date(time).toISOString()}>{momentOfDay(time)}</time> · +{sinceStart(elapsedMs)}
        </span>
      )}
      {isLoading && !error && (
        <span>
          <progress aria-label="Events that were read" value={loaded} max={Math.max(1, total)} /> {count(loaded)} of{' '}
          {plural(total, 'event')} read
        </span>
      )}
      {error && (
        <span role="alert">
          The server does not give the events: {visible(error.message)}{' '}
          <button type="button" className="link" onClick={replay.retry}>
            Try again
          </button>
        </span>
      )}
      {trouble !== undefined && <span role="alert">{trouble}</span>}
      {isRead && trouble === undefined && <Changes replay={later} />}
      <Copy text={() => linkTo(seq)}>Copy link to this moment</Copy>
    </div>
  );
}

const Changes = memo(({ replay }: { readonly replay: ReplayResult }): ReactElement => {
  const lines = replay.changes().map((it) => changeLine(it));
  return (
    <span className="replay-changes">
      Changed here: <bdi>{lines.join(', ')}</bdi>
    </span>
  );
});

/** The address of this page, at a moment. */
function linkTo(seq: number): string {
  const url = new URL(location.href);
  url.searchParams.set('at', String(seq));
  return url.href;
}
