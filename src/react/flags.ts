import type { ConnectionView } from '../client/index.ts';

/** What components ask most of a view, and of a store. */
export interface Flags {
  /** Nothing is known yet. */
  readonly isPending: boolean;
  /** What is shown is what is: connected, history done. */
  readonly isLive: boolean;
  readonly isCatchingUp: boolean;
  /** Something is shown, and there may be more that is not: not connected, though nothing has ended; or a replay. */
  readonly isStale: boolean;
  /** Connects now: out of a wait, and after it had given up. */
  reconnect(): void;
}

type Shown = ConnectionView & { readonly data: unknown };

/** Makes views of a store into results. */
export function flagged(store: { reconnect(): void } | undefined): <View extends Shown>(view: View) => View & Flags {
  const reconnect = (): void => store?.reconnect();
  return (view) => {
    const { connection, error, data } = view;
    const isPending = data === undefined;
    const isLive = connection === 'live';
    const isCatchingUp = connection === 'catching-up';
    const hasEnded = connection === 'closed' && !error;
    const isStale = !isPending && !isLive && !isCatchingUp && !hasEnded;
    return { ...view, isPending, isLive, isCatchingUp, isStale, reconnect };
  };
}
