/**
 * Several runs and threads of one server over one connection (`GET /v1/stream`, PROTOCOL.md section 7), for pages whose
 * browser opens no more than six. Each stream stays what it is alone: it has a place of its own in its log, and from
 * those the cursor of the connection is made, so that one which is opened anew, with a stream more or less, loses and
 * repeats nothing. Loaded when a second stream is wanted.
 */
import { MAX_STREAMS, TelltaleError } from '../protocol/index.ts';
import type { FramesOptions, ServerFrame } from './frames.ts';
import { Rider } from './rider.ts';
import { direct, type Way } from './stream.ts';

/** Streams that come and go within so many milliseconds are one change: about what is painted at once. */
const FRAME_MS = 16;

/** A stream by its URL: what it is called among several, and all but that. */
interface Named {
  readonly name: string;
  /** Server and query: streams that share a connection have these in common. */
  readonly door: string;
}

/** @example of `https://host/v1/runs/r1/stream?from=snapshot`: `run:r1` */
function nameOf(url: URL): Named {
  const [root = '', id = ''] = url.pathname.split('/').slice(-3, -1);
  const door = new URL('../../stream', url);
  door.search = url.search;
  return { name: `${root.slice(0, -1)}:${id}`, door: door.href };
}

/** The shared connections of a way. */
export class Together {
  readonly #way: Way;
  readonly #rides = new Set<Ride>();
  /** Those whose connection was cut: they come back together, not one after the other. */
  readonly #cut = new Set<() => void>();

  constructor(way: Way) {
    this.#way = way;
  }

  async *follow(url: URL, options: FramesOptions): AsyncGenerator<readonly ServerFrame[], void, void> {
    const { name, door } = nameOf(url);
    const rider = new Rider(name, options);
    const ride = this.#rideFor(door, rider);
    ride.add(rider);
    const cut = [...this.#cut];
    this.#cut.clear();
    for (const again of cut) again();
    // Those that were alone until now.
    for (const stream of this.#way.streams) stream.move();
    let isAlone = false;
    try {
      isAlone = yield* rider.frames();
    } catch (error) {
      if (options.again && TelltaleError.from(error).retryable) this.#cut.add(options.again);
      throw error;
    } finally {
      ride.drop(rider);
    }
    if (isAlone) yield* direct(url, options);
  }

  #rideFor(door: string, rider: Rider): Ride {
    for (const ride of this.#rides) if (ride.hasRoomFor(door, rider)) return ride;
    const ride = new Ride(door, () => this.#rides.delete(ride));
    this.#rides.add(ride);
    return ride;
  }
}

/** One connection, over which up to sixteen streams come. */
class Ride {
  readonly #door: string;
  readonly #onEmpty: () => void;
  readonly #riders = new Map<string, Rider>();
  #connection: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** What came last is taken. */
  #taken: Promise<unknown> = Promise.resolve();

  constructor(door: string, onEmpty: () => void) {
    this.#door = door;
    this.#onEmpty = onEmpty;
  }

  hasRoomFor(door: string, { key, name }: Rider): boolean {
    if (door !== this.#door) return false;
    if (this.#riders.has(name)) return true;
    // Two names with one key cannot be told apart in a cursor (PROTOCOL.md section 7).
    return this.#riders.size < MAX_STREAMS && [...this.#riders.values()].every((it) => it.key !== key);
  }

  add(rider: Rider): void {
    this.#riders.set(rider.name, rider);
    this.#change();
  }

  drop(rider: Rider): void {
    // Whoever came back under its name has its place.
    if (this.#riders.get(rider.name) !== rider) return;
    this.#riders.delete(rider.name);
    if (this.#riders.size === 0) this.#close();
    // The server sends nothing more of a stream that is over.
    else if (!rider.isOver) this.#change();
  }

  #change(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#connect();
    }, FRAME_MS);
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#connection?.abort();
    this.#connection = undefined;
    this.#onEmpty();
  }

  async #connect(): Promise<void> {
    this.#connection?.abort();
    const own = new AbortController();
    this.#connection = own;
    // Where each stream is, is known when it has taken what it was given.
    await this.#taken;
    const riders = new Map(this.#riders);
    const [first] = riders.values();
    if (own.signal.aborted || !first) return;
    const { fetch, headers } = first.options;
    const url = new URL(this.#door);
    for (const name of riders.keys()) url.searchParams.append(...(name.split(':') as [string, string]));
    const all = (tell: (options: FramesOptions) => void): void => {
      if (this.#connection === own) for (const rider of this.#riders.values()) tell(rider.options);
    };
    try {
      const frames = direct(url, {
        fetch,
        headers,
        signal: own.signal,
        cursor: () => [...riders.values()].map((it) => it.part()).join('') || undefined,
        patienceMs: () => Math.max(...Array.from(riders.values(), (it) => it.options.patienceMs())),
        onRetry: (milliseconds) => all((it) => it.onRetry(milliseconds)),
        onHeartbeat: () => all((it) => it.onHeartbeat()),
      });
      for await (const batch of frames) {
        if (own.signal.aborted) return;
        this.#taken = give(batch, riders);
        await this.#taken;
        // While one is given its history, the others are not held back on their way.
        all((it) => it.onHeartbeat());
        if (own.signal.aborted || batch.some(({ event }) => event === 'stream.bye')) break;
      }
      if (this.#connection === own) for (const rider of riders.values()) rider.end();
    } catch (error) {
      if (this.#connection !== own) return;
      const { retryable, status } = TelltaleError.from(error);
      // What is refused is refused to all at once: each asks for itself what there is to say of it.
      const isRefusal = !retryable && status < 500;
      for (const rider of riders.values()) {
        if (isRefusal) rider.leave();
        else rider.fail(error);
      }
    }
  }
}

/** Gives each stream what is its own. Resolves when all of it is taken. */
function give(batch: readonly ServerFrame[], riders: ReadonlyMap<string, Rider>): Promise<unknown> {
  const byKey = new Map(Array.from(riders.values(), (rider) => [rider.key, rider]));
  const given = new Map<Rider, ServerFrame[]>();
  for (const frame of batch) {
    for (const rider of whose(frame, riders, byKey)) {
      const frames = given.get(rider);
      if (frames) frames.push(frame);
      else given.set(rider, [frame]);
    }
  }
  return Promise.all(Array.from(given, ([rider, frames]) => rider.give(frames)));
}

/** That the access has ended is of all of them: each is told why it is cut. */
function whose(
  frame: ServerFrame,
  riders: ReadonlyMap<string, Rider>,
  byKey: ReadonlyMap<string, Rider>,
): Iterable<Rider> {
  if (frame.event === 'stream.revoked') return riders.values();
  const rider = frame.id === undefined ? riders.get(streamOf(frame) ?? '') : byKey.get(frame.id.slice(1, 6));
  return rider ? [rider] : [];
}

const streamOf = ({ data }: ServerFrame): string | undefined => /^\{"stream":"([^"]+)"/.exec(data)?.[1];
