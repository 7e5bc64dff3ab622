import { HEARTBEAT_MS, TelltaleError } from '../protocol/index.ts';
import { type ConnectionInput, step } from './connection.ts';
import { type ConnectionState, IDLE, rests } from './connection-state.ts';
import { type Asked, type Carrier, readFrames } from './frames.ts';
import { isLimited } from './limited.ts';
import { watchPage } from './page.ts';
import { part } from './part.ts';
import { Place } from './place.ts';
import type { Followed, Sink, Source } from './source.ts';
import type { Together } from './together.ts';
import type { Transport } from './transport.ts';

export interface StreamOptions extends Transport {
  /** A cursor to go on after. */
  readonly after?: string | undefined;
  /** Connections in a row that may fail before it gives up; for ever by default. */
  readonly maxAttempts?: number | undefined;
  /** The reader folds: a reset that leaves it without its beginning starts the stream over. */
  readonly startsOver?: boolean;
  /** The sink takes no events: nothing is read of them but their numbers. */
  readonly numbersOnly?: boolean;
  /** The first connection, where it was asked for already. */
  readonly asked?: Asked;
  /** A connection of its own by default. */
  readonly way?: Way | undefined;
}

/** How frames come from a server, for all streams that share it. */
export interface Way {
  /** Brings those of the next connection; by default each stream has one of its own. */
  carrier: Carrier | undefined;
  /** What goes this way now. */
  readonly streams: Set<Movable>;
  /** The server. */
  readonly base: URL;
  /** Whether several streams are to share a connection; by default where there may be but few. */
  readonly share: boolean | undefined;
  /** Looks for another carrier, for a stream that is held, and makes it connect anew where there is one. */
  detour(stream: Stream): unknown;
}

export interface Movable {
  /** Goes over to what brings its next connection now, where that is another. */
  move(): void;
}

/** A connection for each stream. */
export const direct: Carrier = readFrames;

/**
 * A server of ours says `: connected` and hello at once, and history follows without a pause. A stream that is not live
 * and brings nothing for so many milliseconds may be held back on its way.
 */
const HELD_MS = 3_000;
/** A server that said nothing for this many heartbeats is gone, whatever the socket says. */
const PATIENCE = 2.5;
/** Whatever a server says of its heartbeats: more is no watch, and timers of more than 2^31 ms go off at once. */
const MAX_PATIENCE_MS = 300_000;
/** A page must be able to paint: so many milliseconds of frames are taken without a break. */
const SLICE_MS = 12;

/** One stream of ours over any number of connections, told to a sink. Does what the machine in `connection.ts` decides. */
export class Stream implements Source, Movable {
  readonly url: URL;
  /** Of this connection. */
  #carrier: Carrier = direct;
  readonly #sink: Sink;
  readonly #options: StreamOptions;
  readonly #place: Place;
  #state: ConnectionState = IDLE;
  #asked: Asked | undefined;
  #connection: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #unwatchPage = (): void => {};
  #patienceMs = PATIENCE * HEARTBEAT_MS;
  #heardAt = 0;

  constructor(url: URL, sink: Sink, options: StreamOptions) {
    this.url = url;
    this.#sink = sink;
    this.#options = options;
    this.#place = new Place(options.after, options.startsOver === true, options.numbersOnly);
    this.#asked = options.asked;
  }

  open(): void {
    this.#dispatch({ kind: 'open', online: globalThis.navigator?.onLine !== false });
  }

  reconnect(): void {
    this.#dispatch({ kind: 'reconnect' });
  }

  close(): void {
    this.#dispatch({ kind: 'close' });
  }

  /** Only while there is something to do: a listener of the page keeps all that it knows in memory. */
  #watchPage(isOn: boolean): void {
    this.#unwatchPage();
    if (!isOn) return;
    this.#unwatchPage = watchPage((kind) => {
      if (kind === 'visible') this.#dispatch({ kind, stale: this.#isStale() });
      else this.#dispatch({ kind, ...chance() });
    });
  }

  /** Timers stop with the page: after a sleep only the clock on the wall knows for how long nothing was heard. */
  #isStale(): boolean {
    return Date.now() - this.#heardAt > this.#patienceMs;
  }

  #dispatch(input: ConnectionInput): void {
    const [state, effect] = step(this.#state, input, this.#options.maxAttempts);
    const before = this.#state;
    this.#state = state;
    if (rests(before) !== rests(state)) this.#watchPage(!rests(state));
    if (effect) {
      this.#connection?.abort();
      this.#connection = undefined;
      clearTimeout(this.#timer);
      if (effect === 'connect') void this.#connect();
      else if (effect !== 'disconnect') {
        this.#timer = setTimeout(() => this.#dispatch({ kind: 'due' }), effect.wait);
        const { error, attempt } = state;
        if (error) this.#sink.take([{ kind: 'disconnected', error, attempt, retryMs: Math.round(effect.wait) }]);
      }
    }
    if (state !== before) this.#sink.connection(state);
  }

  async #connect(): Promise<void> {
    const connection = new AbortController();
    this.#connection = connection;
    this.#heardAt = Date.now();
    this.#patienceMs = PATIENCE * HEARTBEAT_MS;
    const { way } = this.#options;
    this.#carrier = carrierOf(way);
    this.#timer = setInterval(() => this.#isHeld && way?.detour(this), HELD_MS);
    let input: ConnectionInput;
    try {
      input = await this.#read(connection);
    } catch (thrown) {
      input = { kind: 'cut', error: TelltaleError.from(thrown, 'unreachable'), ...chance() };
    }
    if (this.#connection === connection) this.#dispatch(input);
  }

  move(): void {
    if (!this.#connection || this.#carrier === carrierOf(this.#options.way)) return;
    this.#connection.abort();
    clearTimeout(this.#timer);
    void this.#connect();
  }

  /** Connects anew where nothing comes, and its way has another carrier by now. */
  takeWay(): void {
    if (this.#isHeld && this.#carrier !== carrierOf(this.#options.way)) this.reconnect();
  }

  get #isHeld(): boolean {
    return !!this.#connection && this.#state.phase !== 'live' && Date.now() - this.#heardAt > HELD_MS / 2;
  }

  /** @throws {TelltaleError} what the sink made of it: then it has none of it, and has to be told all again. */
  async #give(items: readonly Followed[]): Promise<void> {
    try {
      await this.#sink.take(items);
    } catch (error) {
      this.#place.startOver();
      throw TelltaleError.from(error, 'invalid_event');
    }
  }

  /** Reads one connection to its end. @throws what cut it. */
  async #read(connection: AbortController): Promise<ConnectionInput> {
    const tell = (input: ConnectionInput): void => {
      this.#heardAt = Date.now();
      if (this.#connection === connection) this.#dispatch(input);
    };
    const { fetch, headers } = this.#options;
    const asked = this.#carrier === direct ? this.#asked : this.#asked?.abort();
    this.#asked = undefined;
    const loading = this.#sink.load?.();
    // Where the connection fails first, nobody asks for it.
    loading?.catch(() => {});
    const frames = this.#carrier(this.url, {
      cursor: () => this.#place.cursor,
      headers,
      signal: connection.signal,
      fetch,
      ...(asked && { asked }),
      again: () => this.#dispatch({ kind: 'due' }),
      isLive: () => this.#state.phase === 'live',
      patienceMs: () => this.#patienceMs,
      onRetry: (milliseconds) => tell({ kind: 'retry', milliseconds }),
      onHeartbeat: () => tell({ kind: 'heartbeat' }),
    });
    let slice = performance.now();
    for await (const batch of frames) {
      await loading;
      // The next connection asks for what this one has not told.
      if (this.#connection !== connection) break;
      const { items, isOver, failure } = this.#place.takeAll(batch);
      if (items.length > 0) await this.#give(items);
      if (this.#connection !== connection) break;
      for (const item of items) {
        if (item.kind === 'connected') {
          const { heartbeatMs } = item.hello;
          if (heartbeatMs > 0) this.#patienceMs = Math.min(PATIENCE * heartbeatMs, MAX_PATIENCE_MS);
          tell({ kind: 'hello' });
        } else if (item.kind === 'caught-up') {
          tell({ kind: 'caught-up' });
        } else if (item.kind === 'reset') {
          tell({ kind: 'reset', over: this.#place.mustStartOver(item.reset) });
        }
      }
      if (this.#place.takeProgress()) tell({ kind: 'progress' });
      if (failure) throw failure;
      if (isOver) break;
      if (performance.now() - slice > SLICE_MS) {
        await breathe();
        slice = performance.now();
      }
    }
    return { kind: 'ended' };
  }
}

/** What brings the next connection of a stream that goes this way. */
export function carrierOf(way: Way | undefined): Carrier {
  if (!way) return direct;
  if (way.carrier) return way.carrier;
  return way.streams.size > 1 && (way.share ?? isLimited(way.base)) ? together(way) : direct;
}

/** The carrier of those that share; loaded when there are several. */
function together(way: Way): Carrier {
  const known = TOGETHER.get(way);
  if (known) return known;
  const loading = () => part(import('./together.ts'));
  let all: Together | undefined;
  const carrier: Carrier = async function* (...it) {
    const { Together } = await loading();
    all ??= new Together(way);
    yield* all.follow(...it);
  };
  TOGETHER.set(way, carrier);
  return carrier;
}

const TOGETHER = new WeakMap<Way, Carrier>();

const chance = (): { random: number; now: number } => ({ random: Math.random(), now: Date.now() });

/**
 * Lets the page paint and answer. `scheduler.yield` comes back before other tasks, a timer after them; in a hidden page,
 * which has nothing to paint, a timer would take a second.
 */
async function breathe(): Promise<void> {
  const { scheduler, document } = globalThis as { scheduler?: { yield?(): Promise<void> }; document?: Document };
  if (scheduler?.yield) await scheduler.yield();
  else if (document?.visibilityState !== 'hidden') await new Promise((resolve) => setTimeout(resolve));
}
