import type { ConnectionView } from '../client/index.ts';

/** What components ask a view most, of the connection. */
export interface Flags {
  /** Nothing is known yet. */
  readonly isPending: boolean;
  /** What is shown is what is: connected, history done. */
  readonly isLive: boolean;
  readonly isCatchingUp: boolean;
  /** Something is shown, and there may be more that is not: not connected, though nothing has ended. */
  readonly isStale: boolean;
}

export function flagsOf(view: ConnectionView & { readonly data: unknown }): Flags {
  const { connection, error } = view;
  const isPending = view.data === undefined;
  const isLive = connection === 'live';
  const isCatchingUp = connection === 'catching-up';
  const hasEnded = connection === 'closed' && !error;
  return { isPending, isLive, isCatchingUp, isStale: !isPending && !isLive && !isCatchingUp && !hasEnded };
}
