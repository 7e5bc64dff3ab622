import {
  checkWhole,
  parseCursor,
  type RunSnapshot,
  type StreamProgress,
  type StreamReset,
  TelltaleError,
  type TelltaleEvent,
} from '../protocol/index.ts';
import { connect, readData } from './connection.ts';

/** What happens on a followed stream. */
export type Followed =
  /** The next event, or a frame of merged deltas (`deltasOf`); `cursor` is where to go on after it. */
  | { readonly kind: 'event'; readonly event: TelltaleEvent; readonly cursor: string }
  /** The run as it was when the stream of `?from=snapshot` began; what follows comes after it. */
  | { readonly kind: 'snapshot'; readonly snapshot: RunSnapshot }
  /** What was received beyond `reset.shared` is void (PROTOCOL.md section 7); what follows comes after `reset.after`. */
  | { readonly kind: 'reset'; readonly reset: StreamReset }
  /** History is done; what follows is live. Told once per connection. */
  | { readonly kind: 'caught-up' }
  /** Connected, also again. */
  | { readonly kind: 'connected' }
  /** Not connected; the next attempt comes in `retryMs` milliseconds. `attempt` counts from 1 since the last progress. */
  | {
      readonly kind: 'disconnected';
      readonly error: TelltaleError;
      readonly attempt: number;
      readonly retryMs: number;
    };

export interface FollowOptions {
  /** Ends the stream, quietly. */
  readonly signal?: AbortSignal;
  /** A cursor to go on after. */
  readonly after?: string;
  readonly fetch?: typeof globalThis.fetch;
}

/** Milliseconds before the first attempt to come back, where the server did not say. */
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

/**
 * Follows a stream of ours (`…/v1/runs/{id}/stream`, `…/v1/threads/{id}/stream`) over any number of connections: every
 * event of the view once, in order, until the run has ended or `signal` is aborted. Comes back by itself, for ever, with
 * full-jitter back-off that starts anew with all progress.
 *
 * @throws {TelltaleError} `stream_broken` for a hole or a frame that makes no sense; `run_not_found`,
 * `thread_not_found` and every other refusal that waiting does not cure.
 *
 * @example
 * for await (const it of follow('http://localhost:4747/v1/runs/r1/stream')) {
 *   if (it.kind === 'event') snapshot = reduce(snapshot, it.event);
 * }
 */
export async function* follow(url: string | URL, options: FollowOptions = {}): AsyncGenerator<Followed, void, void> {
  const { fetch = globalThis.fetch, signal = new AbortController().signal } = options;
  const place = new Place(options.after);
  let retryMs = RETRY_MS;
  let attempt = 0;
  while (!signal.aborted) {
    let error = new TelltaleError('unreachable', 'The connection ended before the run did.');
    const onRetry = (milliseconds: number): void => {
      retryMs = Math.max(1, milliseconds);
    };
    const frames = connect(new URL(url), { cursor: place.cursor, signal, fetch, onRetry });
    try {
      for (let next = await frames.next(); ; next = await frames.next()) {
        if (next.value === 'done') return;
        if (next.value === 'cut') break;
        if (next.value.event === 'stream.bye') return;
        const before = place.cursor;
        const followed = place.take(next.value);
        if (place.cursor !== before) attempt = 0;
        if (followed) yield followed;
      }
    } catch (caught) {
      if (signal.aborted) return;
      error = TelltaleError.from(caught);
      if (error.code !== 'unreachable') throw error;
    } finally {
      // Also where the reader stopped reading in the middle.
      await frames.return('cut');
    }
    attempt++;
    const wait = Math.random() * Math.min(MAX_RETRY_MS, retryMs * 2 ** (attempt - 1));
    yield { kind: 'disconnected', error, attempt, retryMs: Math.round(wait) };
    await pause(wait, signal);
  }
}

/** Where in the log the viewer is, and what that makes of the next frame. */
class Place {
  cursor: string | undefined;
  /** Everything up to this number is known. A viewer without one takes the first frame as it comes. */
  #seq: number | undefined;

  constructor(cursor: string | undefined) {
    this.cursor = cursor;
    this.#seq = cursor === undefined ? undefined : parseCursor(cursor)?.seq;
  }

  take({
    event: name,
    id,
    data,
  }: {
    event?: string | undefined;
    id?: string | undefined;
    data: string;
  }): Followed | undefined {
    const value = readData(data);
    const known = this.#seq;
    switch (name) {
      case 'stream.hello':
        return { kind: 'connected' };
      case 'stream.caught-up':
        return { kind: 'caught-up' };
      case 'stream.progress':
        this.#move(Math.max(known ?? 0, (value as StreamProgress).seq), id);
        return undefined;
      case 'stream.snapshot':
        this.#move(parseCursor(id ?? '')?.seq ?? 0, id);
        return { kind: 'snapshot', snapshot: value as RunSnapshot };
      case 'stream.reset':
        this.#move((value as StreamReset).after, id);
        return { kind: 'reset', reset: value as StreamReset };
    }
    if (name?.startsWith('stream.')) return undefined;
    const event = value as TelltaleEvent;
    if (!Number.isSafeInteger(event.seq) || typeof event.type !== 'string' || id === undefined) {
      throw new TelltaleError('stream_broken', 'A frame is no event.', { frame: data.slice(0, 200) });
    }
    if (known !== undefined && event.seq <= known) return undefined;
    const before = event.prev ?? event.seq - 1;
    if (known !== undefined && before > known) {
      const hole = { known, prev: before, seq: event.seq };
      throw new TelltaleError('stream_broken', `Events ${known + 1} to ${before} are missing.`, hole);
    }
    if (known !== undefined) checkWhole(event, known);
    this.#move(event.seq, id);
    return { kind: 'event', event, cursor: id };
  }

  #move(seq: number, cursor: string | undefined): void {
    this.#seq = seq;
    this.cursor = cursor ?? this.cursor;
  }
}

/** Resolves after some milliseconds, or when the signal is aborted. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
  });
}
