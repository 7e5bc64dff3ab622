/**
 * What a connection does next, decided without a clock, a timer or a network: `step` takes what happened and says what
 * the connection is now and the one thing to do. `Stream` does it.
 *
 * It knows nothing of the run: whether that still runs, failed or waits is told by the log alone.
 */
import { TelltaleError } from '../protocol/index.ts';
import { type ConnectionPhase, type ConnectionState, IDLE, rests } from './connection-state.ts';
import { unreachable } from './response.ts';

export type ConnectionInput =
  /** Somebody watches; nobody does any more. */
  | { readonly kind: 'open'; readonly online: boolean }
  | { readonly kind: 'close' }
  /** The reader asks for a new connection now, whatever the state. */
  | { readonly kind: 'reconnect' }
  /** `stream.hello`, and `stream.caught-up`. */
  | { readonly kind: 'hello' }
  | { readonly kind: 'caught-up' }
  /** A heartbeat: the connection is good, though nothing happens. */
  | { readonly kind: 'heartbeat' }
  /** Something came that was never there before. */
  | { readonly kind: 'progress' }
  /** The server's `retry:`. */
  | { readonly kind: 'retry'; readonly milliseconds: number }
  /** `stream.reset`. With `over`, the reader needs the log from its beginning again. */
  | { readonly kind: 'reset'; readonly over: boolean }
  /** The connection is gone: `random` (0 to 1) spreads the attempts of many viewers, `now` is in ms since 1970. */
  | { readonly kind: 'cut'; readonly error: TelltaleError; readonly random: number; readonly now: number }
  /** The log has ended. */
  | { readonly kind: 'ended' }
  /** The time to wait is over. */
  | { readonly kind: 'due' }
  | { readonly kind: 'online' }
  | { readonly kind: 'offline'; readonly random: number; readonly now: number }
  /** The page is looked at again: not the time to wait. With `stale`, the server has been silent for too long. */
  | { readonly kind: 'visible'; readonly stale: boolean }
  | { readonly kind: 'sleep' }
  | { readonly kind: 'wake' };

/** What to do; each ends whatever was under way. `wait` is in milliseconds, and `due` comes after it. */
export type ConnectionEffect = 'connect' | 'disconnect' | { readonly wait: number };

const MAX_RETRY_MS = 30_000;
/** A server that breaks the protocol, or resets, more often than this without telling anything new is given up. */
const MAX_FAULTS = 5;

/**
 * What a connection is after something happened to it, and what to do now.
 *
 * @param maxAttempts attempts in a row that may fail before it gives up.
 */
export function step(
  state: ConnectionState,
  input: ConnectionInput,
  maxAttempts = Number.POSITIVE_INFINITY,
): readonly [ConnectionState, ConnectionEffect?] {
  switch (input.kind) {
    case 'open':
      return rests(state) ? connect({ ...IDLE, retryMs: state.retryMs, online: input.online }) : [state];
    case 'reconnect':
      return state.phase === 'idle' ? [state] : connect({ ...state, attempt: 0, faults: 0, asleep: false });
    case 'close':
      return state.phase === 'idle' ? [state] : [{ ...IDLE, retryMs: state.retryMs }, 'disconnect'];
  }
  if (rests(state)) return [state];
  switch (input.kind) {
    case 'hello':
      return [{ ...state, phase: 'catching-up', error: undefined, known: true }];
    case 'caught-up':
      return [{ ...state, phase: 'live', error: undefined }];
    case 'heartbeat':
      return [state.attempt ? { ...state, attempt: 0 } : state];
    case 'progress':
      return [state.attempt || state.faults ? { ...state, attempt: 0, faults: 0 } : state];
    case 'retry':
      return [{ ...state, retryMs: Math.max(1, input.milliseconds) }];
    case 'ended':
      return closed(state);
    case 'cut':
      return cut(state, input, maxAttempts);
    case 'reset':
      if (state.faults >= MAX_FAULTS) {
        return closed(state, new TelltaleError('stream_broken', 'The log is reset again and again.'));
      }
      state = { ...state, faults: state.faults + 1 };
      return input.over ? connect(state) : [state];
    case 'offline':
      // A server on this machine needs no network: so there is an attempt all the same.
      state = { ...state, online: false, error: unreachable('There is no network.') };
      return state.asleep ? [{ ...state, phase: 'offline' }] : waiting(state, input, 0);
    case 'online':
      return again({ ...state, online: true });
    case 'visible':
      return input.stale && !state.asleep ? connect(state) : again(state);
    case 'due':
      return again(state);
    case 'sleep':
      return [{ ...state, phase: away(state), retryAt: undefined, asleep: true }, 'disconnect'];
    case 'wake':
      return state.asleep ? connect({ ...state, asleep: false }) : [state];
  }
}

type Step = readonly [ConnectionState, ConnectionEffect?];

function connect(state: ConnectionState): Step {
  const phase = state.known ? away(state) : 'connecting';
  return [{ ...state, phase, retryAt: undefined }, 'connect'];
}

/** The wait is over, where there is one. */
const again = (state: ConnectionState): Step =>
  state.retryAt === undefined ? [{ ...state, phase: phaseOf(state) }] : connect(state);

/** Waiting, `offline` becomes `reconnecting` and the other way round, as the network comes and goes. */
const phaseOf = (state: ConnectionState): ConnectionPhase =>
  state.phase === 'offline' || state.phase === 'reconnecting' ? away(state) : state.phase;

const away = ({ online }: ConnectionState): ConnectionPhase => (online ? 'reconnecting' : 'offline');

const closed = (state: ConnectionState, error?: TelltaleError): Step => [
  { ...state, phase: 'closed', retryAt: undefined, error },
  'disconnect',
];

function cut(
  state: ConnectionState,
  { error, ...spread }: ConnectionInput & { kind: 'cut' },
  maxAttempts: number,
): Step {
  const broken = error.code === 'stream_broken';
  const next = { ...state, error, attempt: state.attempt + 1, faults: state.faults + Number(broken) };
  // What never was a stream of ours will not become one; neither will a refusal that waiting does not cure.
  const final = broken ? !state.known || next.faults > MAX_FAULTS : !error.retryable && error.status < 500;
  if (final || next.attempt > maxAttempts) return closed(next, error);
  return waiting(next, spread, Number(error.particulars.retryAfterMs ?? 0));
}

/** Full jitter: anywhere between now and twice as late as the time before, so that many viewers do not come at once. */
function waiting(state: ConnectionState, { random, now }: { random: number; now: number }, atLeast: number): Step {
  const longest = Math.min(MAX_RETRY_MS, state.retryMs * 2 ** Math.max(0, state.attempt - 1));
  const wait = Math.max(random * longest, Math.min(atLeast, MAX_RETRY_MS));
  return [{ ...state, phase: away(state), retryAt: now + wait }, { wait }];
}
