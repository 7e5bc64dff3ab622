import type { Log, RunRecord, RunSummary } from '../log/index.ts';
import {
  type CursorPart,
  HEARTBEAT_MS,
  LATENESS_MS,
  parseComposite,
  refusalOf,
  refusedFrame,
  STALLED_MS,
  streamKey,
  TelltaleError,
} from '../protocol/index.ts';
import { CompositeIds } from './composite-ids.ts';
import { Expectation, type ExpectedRequest } from './expectation.ts';
import { connectionFrames } from './opening.ts';
import type { FoundStream } from './reader.ts';
import type { RunListRequest } from './run-list-viewer.ts';
import { RunLists } from './run-lists.ts';
import type { Sink } from './sink.ts';
import { findStart, type ManyRequest, type StreamRequest } from './start.ts';
import { Tail } from './tail.ts';
import { Turn } from './turn.ts';
import { type Surroundings, Viewer, type ViewerAbout } from './viewer.ts';
import { type News, Waiter, type WaitRequest } from './waiter.ts';
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
  /** How many streams may be open before there is anything to show (10,000); one more is refused. They may wait for ever. */
  readonly maxExpected?: number;
  /** Told why a viewer (of a thread, or of a list) was cut, where that was neither its own fault nor its network's. */
  readonly onError?: (error: unknown, threadId: string | undefined) => void;
}

/**
 * From the log to viewers. A viewer is a sink and, for each of its streams, a position in the log; history, live,
 * reconnect, slow reader and late joiner are one operation: read after the cursor.
 *
 * @example
 * const hub = new Hub(log);
 * await hub.open({ dialect: native, threadId: 't1', selection: {}, cursor: lastEventId }, sink);
 */
export class Hub {
  readonly #log: Log;
  readonly #tails = new Map<string, Tail>();
  readonly #viewers = new Set<Viewer>();
  readonly #waiters = new Set<Waiter>();
  readonly #expected = new Set<Expectation>();
  readonly #lists: RunLists;
  readonly #around: Surroundings;
  readonly #checks: Wheel;
  readonly #windowBytes: number;
  readonly #maxExpected: number;
  #closed = false;
  #emptied: (() => void) | undefined;

  constructor(log: Log, options: HubOptions = {}) {
    const { heartbeatMs = HEARTBEAT_MS, latenessMs = LATENESS_MS, stalledMs = STALLED_MS } = options;
    this.#log = log;
    this.#windowBytes = options.windowBytes ?? 1024 * 1024;
    this.#maxExpected = options.maxExpected ?? 10_000;
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
    this.#lists = new RunLists(this.#around, this.#checks);
  }

  /** How many streams are open. */
  get viewers(): number {
    return this.#viewers.size + this.#expected.size + this.#lists.size;
  }

  /** How many polls wait. */
  get waiters(): number {
    return this.#waiters.size;
  }

  /** How many threads are watched. */
  get threads(): number {
    return this.#tails.size;
  }

  /**
   * Opens a stream into a sink. `over`: the cursor is at or behind the end of the run, nothing can ever follow it;
   * the sink was not touched.
   *
   * @throws {TelltaleError} `thread_not_found`, `run_not_found`, `run_deleted`, or what the log says; the sink was not
   * touched.
   */
  async open(request: StreamRequest, sink: Sink): Promise<'streaming' | 'over'> {
    const stream = this.#check(await this.#find(request));
    return this.#begin([stream], sink, { frames: connectionFrames(request.padding), permit: request.permit });
  }

  /**
   * Opens a stream that may have nothing to show yet: the connection is kept awake until `find` finds something. `over`
   * as in `open`; where it turns out so later, the connection ends.
   *
   * @throws {TelltaleError} what `find` and `open` say at once; `overloaded` where as many wait as may; the sink was not
   * touched.
   */
  async openExpected(request: ExpectedRequest, sink: Sink): Promise<'streaming' | 'over'> {
    const found = await request.find();
    if (found) return this.open(found, sink);
    if (this.#expected.size >= this.#maxExpected) {
      throw new TelltaleError(
        'overloaded',
        `${this.#expected.size} streams wait already, as many as may. Come back later.`,
      );
    }
    if (this.#closed) sink.abort();
    if (sink.closed) return 'streaming';
    const { heartbeats, stalledMs } = this.#around;
    const expectation = new Expectation({
      ...{ request, sink, heartbeats, checks: this.#checks },
      open: (late, relay) => this.#openLate(late, relay),
      onOver: (it) => this.#expected.delete(it),
    });
    this.#expected.add(expectation);
    expectation.begin(`${connectionFrames(request.padding)}${request.opening?.() ?? ''}`, stalledMs);
    // Followed first, then looked for: what is written in between is found, or wakes.
    try {
      expectation.unfollow = await this.#log.follow(request.threadId, () => expectation.look());
    } catch (error) {
      expectation.abort();
      this.#around.onError(error, request.threadId);
    }
    expectation.look();
    return 'streaming';
  }

  /**
   * Opens several streams into one sink, with composite ids. One that is not there is refused by a frame of its own,
   * and the others go on. `over`: each is at the end of its run, or is refused.
   *
   * @throws {TelltaleError} why none of them is there, or what the log says; the sink was not touched.
   */
  async openAll(
    { streams, refused = [], cursor, padding, permit }: ManyRequest,
    sink: Sink,
  ): Promise<'streaming' | 'over'> {
    const parts = cursor === undefined ? new Map<string, CursorPart>() : parseComposite(cursor);
    const results = await Promise.allSettled(
      streams.map(({ name, ...request }) => {
        const own = parts ? parts.get(streamKey(name)) : MALFORMED;
        return this.#find({ ...request, ...(own !== undefined && { cursor: own }) }, name);
      }),
    );
    const found: FoundStream[] = [];
    const refusals = [...refused];
    const failures: unknown[] = [];
    for (const [i, result] of results.entries()) {
      try {
        if (result.status === 'rejected') throw result.reason;
        found.push(this.#check(result.value));
      } catch (error) {
        const refusal = refusalOf(streams[i]!.name, error);
        if (refusal) refusals.push(refusal);
        if (!refusal || refusals.length === streams.length + refused.length) failures.push(error);
      }
    }
    if (failures.length > 0) {
      for (const { tail } of found) this.#release(tail);
      throw failures[0];
    }
    const ids = new CompositeIds(
      found.map(({ name }) => name!),
      parts ?? new Map(),
    );
    const frames = [connectionFrames(padding), ...refusals.map(refusedFrame)].join('');
    return this.#begin(found, sink, { frames, ids, permit });
  }

  /**
   * Opens a live list of runs into a sink.
   *
   * @throws {TelltaleError} what the log says; the sink was not touched.
   */
  openRuns(request: RunListRequest, sink: Sink): Promise<void> {
    return this.#lists.open(request, sink);
  }

  /**
   * Runs with what only their events tell of them, once each was folded: what is not known after so many milliseconds is
   * left out.
   */
  describeRuns(runs: readonly RunRecord[], milliseconds: number): Promise<readonly RunSummary[]> {
    return this.#lists.describeAll(runs, milliseconds);
  }

  /** Lets go of what is remembered of a run that was deleted here, also while no list is open that would hear of it. */
  forgetRun(runId: string): void {
    this.#lists.forget(runId);
  }

  /**
   * Waits until something comes after a place in the log, for so long at most, and no longer than the client or this hub
   * is there. It comes as late as a stream's events do, at most.
   *
   * @throws {TelltaleError} `thread_not_found`, `run_deleted`, or what the log says.
   */
  async wait(request: WaitRequest): Promise<News> {
    const { threadId, runId, epoch, after, milliseconds, signal, permit } = request;
    const tail = this.#hold(threadId);
    const waiter = new Waiter(tail, this.#around.turn, request);
    const stop = () => waiter.end('over');
    const timer = setTimeout(stop, milliseconds);
    const unwatch = permit?.watch(stop);
    try {
      await tail.opened;
      if (tail.head.epoch !== epoch) await tail.refresh();
      // Asked for again now that its thread is followed: nothing comes of a run that was erased before.
      if (runId !== undefined) await this.#log.runs.get(runId);
      if (this.#closed || signal?.aborted) return 'over';
      const isErased = runId !== undefined && tail.erased.has(runId);
      if (isErased || tail.head.epoch !== epoch || tail.head.last > after) return 'look';
      this.#waiters.add(waiter);
      tail.waiters.add(waiter);
      signal?.addEventListener('abort', stop);
      return await waiter.news;
    } finally {
      clearTimeout(timer);
      unwatch?.();
      signal?.removeEventListener('abort', stop);
      tail.waiters.delete(waiter);
      this.#waiters.delete(waiter);
      this.#release(tail);
    }
  }

  /**
   * Sends viewers what has waited for 100 ms. Whoever does work for a request calls it before: while many requests come,
   * the event loop may take seconds until it gets to anything else.
   */
  flushIfLate(): void {
    this.#around.turn.flushIfLate();
  }

  /** Ends every stream and every wait, so that clients come back to another server, and resolves when all are gone. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const waiter of this.#waiters) waiter.end('over');
    for (const expectation of this.#expected) expectation.end();
    for (const viewer of this.#viewers) viewer.close();
    const lists = this.#lists.close();
    if (this.#viewers.size > 0) await new Promise<void>((resolve) => (this.#emptied = resolve));
    await lists;
  }

  async #openLate(request: StreamRequest, sink: Sink): Promise<void> {
    try {
      const stream = this.#check(await this.#find(request));
      if (this.#begin([stream], sink, { frames: '', permit: request.permit }) === 'over') sink.end();
    } catch (error) {
      sink.abort();
      this.#around.onError(error, request.threadId);
    }
  }

  async #find(request: StreamRequest, name?: string): Promise<FoundStream> {
    const tail = this.#hold(request.threadId);
    try {
      await tail.opened;
      return { request, tail, start: await findStart(this.#log, request), ...(name !== undefined && { name }) };
    } catch (error) {
      this.#release(tail);
      throw error;
    }
  }

  /** A run may be erased after it was found, also while others are: its viewer would wait for an end that is void. */
  #check(found: FoundStream): FoundStream {
    const { tail, request } = found;
    const { runId } = request.selection;
    if (runId === undefined || !tail.erased.has(runId)) return found;
    this.#release(tail);
    throw new TelltaleError('run_deleted', `Run ${runId} was deleted.`, { runId });
  }

  #begin(streams: readonly FoundStream[], sink: Sink, { frames, ...about }: Beginning): 'streaming' | 'over' {
    const atEnd = streams.every(({ start, request }) => start.over && request.cursor !== undefined && !start.reset);
    if (this.#closed) sink.abort();
    if (atEnd || sink.closed) {
      for (const { tail } of streams) this.#release(tail);
      return atEnd ? 'over' : 'streaming';
    }
    const viewer = new Viewer(this.#around, streams, sink, about);
    this.#viewers.add(viewer);
    viewer.begin(frames);
    return 'streaming';
  }

  #hold(threadId: string): Tail {
    let tail = this.#tails.get(threadId);
    if (!tail) {
      const { turn } = this.#around;
      tail = new Tail({
        log: this.#log,
        threadId,
        turn,
        checks: this.#checks,
        windowBytes: this.#windowBytes,
        onErased: (erasedIn, runId) => {
          for (const viewer of this.#viewers) viewer.erased(erasedIn, runId);
        },
      });
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
    for (const tail of viewer.tails) this.#release(tail);
    if (this.#viewers.size === 0) this.#emptied?.();
  }
}

/** What a connection begins with, and what is kept beside its streams. */
interface Beginning extends ViewerAbout {
  readonly frames: string;
}

/** A cursor that no thread can follow. */
const MALFORMED = '';
