import { type ReactElement, useEffect, useState } from 'react';
import { type ThreadResult, useThread } from 'telltale/react';
import { english, Glyph, visible } from 'telltale/react/parts';
import { AccessLost } from '../session/access-lost.tsx';
import { useAfter } from '../ui/after.ts';
import { useNow } from '../ui/now.ts';

const LOCALE = 'en';
/** A connection that is there sooner is not worth a flicker. */
const CONNECTING_MS = 400;

const facts = ({
  connection,
  error,
  retryAt,
  lastSeq,
  latest,
  lastEventAt,
  resets,
  reconnect,
  isPending,
}: ThreadResult) => ({
  ...{ connection, error, retryAt, lastSeq, latest, lastEventAt, resets, reconnect, isPending },
});

/**
 * How we are connected to a conversation, in one line. How its runs are stands with them.
 *
 * @param isBusy something is going on in it: then the seconds since the last event are worth knowing.
 */
export function Connection({ threadId, isBusy }: { threadId: string; isBusy: boolean }): ReactElement {
  const it = useThread(threadId, { select: facts });
  const { connection, error, lastSeq, latest, resets, reconnect } = it;
  const isLost = connection === 'reconnecting';
  const isSlow = useAfter(connection === 'connecting', CONNECTING_MS);
  const now = useNow(isLost || (isBusy && connection === 'live'));
  const lostAt = useSince(isLost);
  const isNew = connection === 'closed' && it.isPending && error?.code === 'thread_not_found';
  const sinceMs = (at: number | undefined) =>
    at === undefined ? undefined : Math.floor(Math.max(0, now - at) / 1_000) * 1_000;

  const line = (): string => {
    if (isNew) return 'Nothing was asked here yet.';
    switch (connection) {
      case 'connecting':
        return isSlow ? english.connecting(LOCALE) : '';
      case 'catching-up':
        return english.catchingUp(lastSeq, latest, LOCALE);
      case 'live':
        return english.live(lastSeq, isBusy ? sinceMs(it.lastEventAt) : undefined, LOCALE);
      case 'reconnecting': {
        const wait = it.retryAt === undefined ? 0 : Math.ceil((it.retryAt - now) / 1_000) * 1_000;
        return english.reconnecting(sinceMs(lostAt), wait > 0 ? wait : undefined, LOCALE);
      }
      case 'offline':
        return english.offline(LOCALE);
      case 'closed':
        return error ? english.lost(visible(error.message), LOCALE) : '';
      default:
        return '';
    }
  };
  const status = connection === 'closed' && !isNew ? 'lost' : connection;
  return (
    <>
      <p className="chat-connection" data-status={isNew ? 'new' : status}>
        <Glyph status={isNew ? 'pending' : status} /> {line()}{' '}
        {connection === 'catching-up' && (
          <progress value={lastSeq} max={Math.max(1, latest)} aria-label="Caught up so far" />
        )}
        {resets > 0 && <span className="muted">· {english.readAgain(resets, LOCALE)}</span>}
        {(isLost || (connection === 'closed' && !isNew)) && (
          <button type="button" onClick={reconnect}>
            {english.retry(LOCALE)}
          </button>
        )}
      </p>
      {connection === 'closed' && !it.isPending && <AccessLost error={error} reconnect={reconnect} />}
    </>
  );
}

/** Since when it has been so, by this machine's clock. */
function useSince(isSo: boolean): number | undefined {
  const [at, setAt] = useState<number>();
  useEffect(() => setAt(isSo ? Date.now() : undefined), [isSo]);
  return isSo ? at : undefined;
}
