import type { TelltaleEvent } from '../protocol/index.ts';
import type { ConnectionState } from './connection-state.ts';
import { type ConnectionView, connectionView } from './store.ts';

/** A log as people see it. A new object whenever anything in it changed, at most once a frame; the same one until then. */
export interface LogView<Data> extends ConnectionView {
  /** The last good fold. Once there is one it stays: reconnecting or starting over never takes it away. */
  readonly data: Data | undefined;
  /** The newest events, as frames brought them (`deltasOf` takes merged ones apart). All of them: `events()`. */
  readonly events: readonly TelltaleEvent[];
  /** Number of the last event; 0 before the first. */
  readonly lastSeq: number;
  /** When the last event arrived here, by this machine's clock, in milliseconds since 1970. */
  readonly lastEventAt: number | undefined;
  /** The newest number the thread had when the server was last connected: how far there is to catch up. */
  readonly latest: number;
  /** How often what was shown turned out void and was folded anew (`stream.reset`). */
  readonly resets: number;
}

/** What is shown before anything came, but for what is known: `data`, up to the number `seq`. */
export const emptyView = <Data>(state: ConnectionState, data?: Data, seq = 0): LogView<Data> => ({
  ...connectionView(state),
  data,
  events: [],
  lastSeq: seq,
  lastEventAt: undefined,
  latest: seq,
  resets: 0,
});
