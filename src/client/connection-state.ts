import type { TelltaleError } from '../protocol/index.ts';

/**
 * - `idle`: nobody watches.
 * - `connecting`: for the first time.
 * - `catching-up`: connected, history comes in. `live`: history is done.
 * - `reconnecting`: cut; the next attempt comes at `retryAt`, or is under way where there is none.
 * - `offline`: the same, while the browser says that it has no network.
 * - `closed`: nothing more will come. With an `error` it gave up, without one the log has ended.
 * - `replaying`: what is shown is a moment of the past (`telltale/react/replay`). No store of a client is ever in it.
 */
export type ConnectionPhase =
  | 'idle'
  | 'connecting'
  | 'catching-up'
  | 'live'
  | 'reconnecting'
  | 'offline'
  | 'closed'
  | 'replaying';

export interface ConnectionState {
  readonly phase: ConnectionPhase;
  /** Attempts that failed since the last progress. */
  readonly attempt: number;
  /** When the next attempt comes, in milliseconds since 1970. */
  readonly retryAt: number | undefined;
  /** Why it is not connected. */
  readonly error: TelltaleError | undefined;
  /** Milliseconds before the first attempt to come back: the server's, once it said so. */
  readonly retryMs: number;
  /** How often the stream broke the protocol, or was reset, since it last told something new. */
  readonly faults: number;
  /** A stream of ours has answered at least once. */
  readonly known: boolean;
  readonly online: boolean;
  /** The page is frozen or cached: there is no connection until it wakes. */
  readonly asleep: boolean;
}

/** Milliseconds before the first attempt to come back, where the server did not say. */
export const RETRY_MS = 1_000;

export const IDLE: ConnectionState = {
  phase: 'idle',
  attempt: 0,
  retryAt: undefined,
  error: undefined,
  retryMs: RETRY_MS,
  faults: 0,
  known: false,
  online: true,
  asleep: false,
};

/** Nothing is under way, and nothing will be unless somebody asks for it. */
export const rests = ({ phase }: ConnectionState): boolean => phase === 'idle' || phase === 'closed';
