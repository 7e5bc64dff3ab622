import type { RunSnapshot, StreamHello, StreamReset, TelltaleError, TelltaleEvent } from '../protocol/index.ts';
import type { ConnectionState } from './connection-state.ts';
import type { ListedRun } from './requests.ts';

/** What happens on a followed stream. */
export type Followed =
  /** The next event, or a frame of merged deltas (`deltasOf`); `cursor` is where to go on after it, `size` its JSON in characters. */
  | { readonly kind: 'event'; readonly event: TelltaleEvent; readonly cursor: string; readonly size: number }
  /** The run as it was when the stream of `?from=snapshot` began; what follows comes after it. */
  | { readonly kind: 'snapshot'; readonly snapshot: RunSnapshot }
  /** What was received beyond `reset.shared` is void (PROTOCOL.md section 7); what follows comes after `reset.after`. */
  | { readonly kind: 'reset'; readonly reset: StreamReset }
  /** History is done; what follows is live. Told once per connection. */
  | { readonly kind: 'caught-up' }
  /** In a live list: a run as it is now, and one that is in the list no more. */
  | { readonly kind: 'listed'; readonly run: ListedRun }
  | { readonly kind: 'left'; readonly runId: string }
  /** Connected, also again. */
  | { readonly kind: 'connected'; readonly hello: StreamHello }
  /** Not connected; the next attempt comes in `retryMs` milliseconds. `attempt` counts from 1 since the last progress. */
  | {
      readonly kind: 'disconnected';
      readonly error: TelltaleError;
      readonly attempt: number;
      readonly retryMs: number;
    };

/** Who is told what a source brings. */
export interface Sink {
  /** Makes ready to take: asked on each connection while the server answers. What it throws cuts that. */
  load?(): Promise<unknown> | undefined;
  /**
   * In order, as much at once as came at once. Nothing more comes before a promise has resolved. What it throws ends the
   * connection, and the next one begins at the beginning.
   */
  take(items: readonly Followed[]): void | Promise<void>;
  connection(state: ConnectionState): void;
}

/**
 * What carries a log to a sink: a stream of its own, or whatever shares one. Knows where it was: opened again, it goes on
 * from there.
 */
export interface Source {
  open(): void;
  /** Comes back at once, whatever it waits for. */
  reconnect(): void;
  /** Nothing is told after it, but for the state `idle`. */
  close(): void;
}
