import './list-connection.css';
import type { ReactElement } from 'react';
import type { ConnectionView } from 'telltale/client';
import { english, Glyph } from 'telltale/react/parts';
import { useAfter } from './after.ts';
import { useNow } from './now.ts';

/** A connection that is there sooner is not worth a flicker. */
const CONNECTING_MS = 400;

/** How a list's own connection stands; that of a run has a part of its own. */
export function ListConnection({
  list,
  children,
}: {
  list: ConnectionView & { reconnect(): void };
  children?: string | undefined;
}): ReactElement {
  const { connection, retryAt, error, reconnect } = list;
  const isWaiting = connection === 'reconnecting';
  const now = useNow(isWaiting);
  const isLost = connection === 'closed' && error !== undefined;
  const isSlow = useAfter(connection === 'connecting', CONNECTING_MS);
  return (
    <span className="list-connection" data-status={isLost ? 'lost' : connection}>
      <Glyph status={isLost ? 'lost' : connection} />{' '}
      <span role="status">
        {connection === 'live' ? 'Live list' : isWaiting ? 'Connection lost.' : isLost && 'Not connected.'}
      </span>
      {isSlow && 'Connecting…'}
      {isWaiting && retryAt !== undefined && ` Retrying in ${english.duration(Math.max(0, retryAt - now), 'en')}.`}
      {connection === 'live' && children && ` · ${children}`}
      {(isWaiting || isLost) && (
        <button type="button" onClick={reconnect}>
          Retry now
        </button>
      )}
    </span>
  );
}
