import type { Log } from '../log/index.ts';
import { HEARTBEAT_MS, LATENESS_MS, STALLED_MS } from '../protocol/index.ts';
import type { Sink } from './sink.ts';
import { findStart, type StreamRequest } from './start.ts';
import { Tail } from './tail.ts';
import { Turn } from './turn.ts';
import { type Surroundings, Viewer } from './viewer.ts';
import { Wheel } from './wheel.ts';

export interface HubOptions {
  /** Between two heartbeats of a stream. */
  readonly heartbeatMs?: number;
  /** A committed event reaches a viewer that keeps up within this, even if every wake-up is lost. */
  readonly latenessMs?: number;
  /** A viewer whose connection takes nothing for this long is cut. */
  readonly stalledMs?: number;
  /** How much of each watched thread is kept at hand, at most (1 MiB); a quiet thread keeps nothing. */
  readonly windowBytes?: number;
  /** Told why a viewer was cut, where that was neither its own fault nor its network's. */
  readonly onError?: (error: unknown, threadId: string) => void;
}

/**
 * From the log to viewers. A viewer is a position in the log and a sink; history, live, reconnect, slow reader and late
 * joiner are one operation: read after the cursor.
 *
 * @example
 * const hub = new Hub(log);
 * await hub.open({ dialect: native, threadId: 't1', selection: {}, cursor: lastEventId }, sink);
 */
export class Hub {
  readonly #log: Log;
  readonly #tails = new Map<string, Tail>();
  readonly #viewers = new Set<Viewer>();
  readonly #around: Surroundings;
  readonly #checks: Wheel;
  readonly #windowBytes: number;
  #closed = false;
  #emptied: (() => void) | undefined;

  constructor(log: Log, options: HubOptions = {}) {
    const { heartbeatMs = HEARTBEAT_MS, latenessMs = LATENESS_MS, stalledMs = STALLED_MS } = options;
    this.#log = log;
    this.#windowBytes = options.windowBytes ?? 1024 * 1024;
    // Half the bound for the check to come, the other half for the read that follows it.
    this.#checks = new Wheel(latenessMs / 2);
    this.#around = {
      log,
      turn: new Turn(),
      heartbeats: new Wheel(heartbeatMs),
      heartbeatMs,
      stalledMs,
      onError: options.onError ?? (() => {}),
      onClosed: (viewer) => this.#removed(viewer),
    };
  }

  /** How many streams are open. */
  get viewers(): number {
    return this.#viewers.size;
  }

  /** How many threads are watched. */
  get threads(): number {
    return this.#tails.size;
  }

  /**
   * Opens a stream into a sink. `over`: the cursor is at or behind the end of the run, nothing can ever follow it;
   * the sink was not touched.
   *
   * @throws {TelltaleError} `thread_not_found`, `run_not_found`, or what the log says; the sink was not touched.
   */
  async open(request: StreamRequest, sink: Sink): Promise<'streaming' | 'over'> {
    const tail = this.#hold(request.threadId);
    try {
      await tail.opened;
      const start = await findStart(this.#log, request);
      const atEnd = start.over && request.cursor !== undefined && !start.reset;
      if (this.#closed) sink.abort();
      if (atEnd || sink.closed) {
        this.#release(tail);
        return atEnd ? 'over' : 'streaming';
      }
      const viewer = new Viewer(this.#around, tail, request, start, sink);
      this.#viewers.add(viewer);
      viewer.begin(start);
      return 'streaming';
    } catch (error) {
      this.#release(tail);
      throw error;
    }
  }

  /** Ends every stream, so that clients come back to another server, and resolves when all are gone. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const viewer of this.#viewers) viewer.close();
    if (this.#viewers.size > 0) await new Promise<void>((resolve) => (this.#emptied = resolve));
  }

  #hold(threadId: string): Tail {
    let tail = this.#tails.get(threadId);
    if (!tail) {
      const { turn } = this.#around;
      tail = new Tail({ log: this.#log, threadId, turn, checks: this.#checks, windowBytes: this.#windowBytes });
      this.#tails.set(threadId, tail);
    }
    tail.holders++;
    return tail;
  }

  #release(tail: Tail): void {
    if (--tail.holders > 0) return;
    tail.close();
    this.#tails.delete(tail.threadId);
  }

  #removed(viewer: Viewer): void {
    if (!this.#viewers.delete(viewer)) return;
    this.#release(viewer.tail);
    if (this.#viewers.size === 0) this.#emptied?.();
  }
}
