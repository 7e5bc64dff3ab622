import {
  formatCursor,
  isTerminal,
  parseCursor,
  type RunSnapshot,
  reduce,
  TelltaleError,
  type TelltaleEvent,
} from '../../protocol/index.ts';
import { Flush } from '../flush.ts';
import type { EventPage } from '../requests.ts';
import type { Run, RunView } from '../run.ts';
import { type Change, changesBetween } from './changes.ts';
import type { Mark, MarkKind } from './marks.ts';
import { Recording } from './recording.ts';
import { IDLE_MS } from './tape.ts';

/** How much of a run is at hand. A new object whenever anything in it changed, at most once a frame. */
export interface ReplayView {
  /** Numbers of the first and the last event that is here; 0 before the first. */
  readonly first: number;
  readonly last: number;
  /** Events that are here, and that the run has as far as is known. */
  readonly loaded: number;
  readonly total: number;
  /** There is more that was not read yet. What is here can be looked at meanwhile. */
  readonly isLoading: boolean;
  /** The run has ended, and all of it is here: no more will come. */
  readonly isComplete: boolean;
  /** Why it does not go on. What passes is tried again by itself, up to every 30 s; anything else with `retry`. */
  readonly error: TelltaleError | undefined;
  /** The places worth going to, by number. */
  readonly marks: readonly Mark[];
  /** How often what was read turned out void, and was read anew. */
  readonly resets: number;
}

/** A part of a run's line of time. */
export interface Stretch {
  /** How many events happened in it. */
  readonly events: number;
  /** It lies between two events with more than two seconds between them. */
  readonly isIdle: boolean;
}

/** What a replay needs of a run. */
export type Replayed = Pick<Run, 'runId' | 'page' | 'subscribe' | 'getSnapshot' | 'reconnect'>;

/** Before a page is asked for again, in milliseconds: up to so many, doubled each time up to so many. */
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

/**
 * A run as it stood at any of its events: all of them, read page by page and kept in about their own bytes, and the fold up
 * to any number in a few milliseconds, however long the run is. It grows with a run that goes on; where the server lost
 * what was read (`stream.reset`), it is read anew.
 *
 * @example
 * const replay = new Replay(client.run(runId, { from: 'snapshot' }));
 * replay.open();
 * const leave = replay.subscribe(() => {
 *   const { loaded, total, marks } = replay.getSnapshot();
 *   render(loaded / total, marks, replay.at(2417).status);
 * });
 */
export class Replay {
  /** The run itself, as it is now. */
  readonly run: Replayed;
  readonly #listeners = new Set<() => void>();
  readonly #flush = new Flush(() => this.#show());
  #recording: Recording;
  #view: ReplayView;
  /** Leaves the run; there while it is open. */
  #leave: (() => void) | undefined;
  /** Whose turn it is to read: another one whenever that begins anew. */
  #reader = {};
  #wake: (() => void) | undefined;
  /** Everything up to here was read. */
  #cursor: string | undefined;
  /** How often it has begun, and how often its run had by then. */
  #begun = 0;
  #resets = 0;
  #isLoading = true;
  #isComplete = false;
  #hasGivenUp = false;
  /** How many times in a row a page did not come. */
  #failures = 0;
  #error: TelltaleError | undefined;
  #marks: readonly Mark[] = [];

  /** @param run whose store tells what comes: one `from: 'snapshot'` reads nothing twice. */
  constructor(run: Replayed) {
    this.run = run;
    this.#recording = new Recording(run.runId);
    this.#view = this.#look();
  }

  /** Calls `listener` after each new view, until the returned function is called. */
  readonly subscribe = (listener: () => void): (() => void) => {
    const own = (): void => listener();
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  };

  readonly getSnapshot = (): ReplayView => this.#view;

  /** Begins to read, and stays connected to the run as long as that goes on. */
  open(): void {
    if (this.#leave) return;
    this.#leave = this.run.subscribe(() => this.#hear(this.run.getSnapshot()));
    this.#begin();
  }

  /** Leaves the run and forgets all of it: the memory is free. It may be opened again. */
  close(): void {
    this.#leave?.();
    this.#leave = undefined;
    this.#stop();
    this.#forget();
    this.#begun = 0;
    this.#flush.now();
  }

  /** Reads on now, out of a wait, and where that was given up. */
  retry(): void {
    if (!this.#leave || !this.#error) return;
    this.run.reconnect();
    if (this.#hasGivenUp) void this.#read(this.#stop());
    else this.#wake?.();
  }

  /** The fold of all events up to a number. The same as the live one, at the last event. */
  at(seq: number): RunSnapshot {
    return this.#recording.at(seq);
  }

  /** The newest events up to a number, oldest first: `count` at most. */
  events(seq: number, count: number): readonly TelltaleEvent[] {
    const { tape } = this.#recording;
    const end = tape.find(seq) + 1;
    return tape.slice(end - count, end);
  }

  /** When the last event up to a number happened, by the log, in milliseconds since 1970. Never goes back from event to event. */
  time(seq: number): number {
    const { tape } = this.#recording;
    return tape.time(tape.find(seq));
  }

  /**
   * Where the last event up to a number stands on a line of time, in milliseconds after the first one. A wait counts two
   * seconds there at most, and no two events share a place: hours without an event leave room for all the others.
   */
  place(seq: number): number {
    const { tape } = this.#recording;
    return tape.place(tape.find(seq));
  }

  /** The number of the last event up to a place on that line. */
  seqAt(place: number): number {
    const { tape } = this.#recording;
    return tape.seq(Math.max(0, tape.findPlace(place)));
  }

  /** That line in so many parts of the same length, for a picture of it. */
  stretches(count: number): readonly Stretch[] {
    const { tape } = this.#recording;
    const length = tape.place(tape.length - 1);
    let last = -1;
    return Array.from({ length: tape.length > 0 ? count : 0 }, (_, i) => {
      const before = last;
      last = tape.findPlace((length * (i + 1)) / count);
      const isIdle = before === last && tape.time(last + 1) - tape.time(last) > IDLE_MS;
      return { events: last - before, isIdle };
    });
  }

  /** The number of the event that is so many after the last one up to a number, or before it; the first or last at the ends. */
  step(seq: number, count: number): number {
    const { tape } = this.#recording;
    return tape.seq(Math.min(tape.length - 1, Math.max(0, tape.find(seq) + count)));
  }

  /** The next mark of a kind after a number. */
  next(kind: MarkKind, seq: number): Mark | undefined {
    return this.#recording.marks.find((it) => it.kind === kind && it.seq > seq);
  }

  /** The last mark of a kind before a number. */
  previous(kind: MarkKind, seq: number): Mark | undefined {
    return this.#recording.marks.findLast((it) => it.kind === kind && it.seq < seq);
  }

  /** What the last event up to a number changed. */
  changes(seq: number): readonly Change[] {
    const [event] = this.events(seq, 1);
    if (!event) return [];
    // One step of the fold: what it left alone is the same object then.
    const before = this.at(event.seq - 1);
    return changesBetween(before, reduce(before, event), event);
  }

  #begin(): void {
    const reader = this.#stop();
    this.#forget();
    this.#begun++;
    this.#resets = this.run.getSnapshot().resets;
    void this.#read(reader);
  }

  #forget(): void {
    this.#recording = new Recording(this.run.runId);
    this.#cursor = undefined;
    this.#isLoading = true;
    this.#isComplete = false;
    this.#error = undefined;
    this.#marks = [];
  }

  /** Whoever reads now stops, for another reader. */
  #stop(): object {
    this.#reader = {};
    this.#wake?.();
    return this.#reader;
  }

  /** Page by page up to the end of the log, then whenever the run has more than its store told. */
  async #read(reader: object): Promise<void> {
    this.#hasGivenUp = false;
    this.#failures = 0;
    let asked = this.#ask();
    for (;;) {
      try {
        const page = await asked;
        if (this.#reader !== reader) return;
        this.#failures = 0;
        this.#error = undefined;
        this.#cursor = page.cursor;
        // The next one comes while this one is folded.
        if (page.more) asked = this.#ask();
        for (const event of page.events) this.#recording.add(event);
        this.#isLoading = page.more;
        this.#isComplete = page.ended ?? false;
        this.#flush.request();
        if (page.ended) return;
        if (page.more) continue;
        await this.#rest(reader);
      } catch (thrown) {
        if (this.#reader !== reader) return;
        const error = TelltaleError.from(thrown);
        if (error.code === 'invalid_cursor') return this.#begin();
        this.#error = error;
        this.#hasGivenUp = !error.retryable;
        this.#flush.request();
        if (this.#hasGivenUp) return;
        await this.#rest(reader, Math.random() * Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** this.#failures++));
      }
      if (this.#reader !== reader || this.#isComplete) return;
      asked = this.#ask();
    }
  }

  #ask(): Promise<EventPage> {
    const page = this.run.page(this.#cursor);
    // It may fail before anybody looks.
    page.catch(() => {});
    return page;
  }

  /** Until there is something to read, or for so many milliseconds. */
  async #rest(reader: object, ms?: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
    this.#wake = resolve;
    if (ms === undefined && this.#reader === reader) this.#hear(this.run.getSnapshot());
    await promise;
    clearTimeout(timer);
    if (this.#wake === resolve) this.#wake = undefined;
  }

  /** What the store of the run tells. */
  #hear(view: RunView): void {
    this.#flush.request();
    if (view.resets !== this.#resets) this.#begin();
    // News is no reason to ask at once again for what did not come: there are sixty a second.
    if (this.#isLoading || this.#isComplete || this.#hasGivenUp || this.#failures > 0) return;
    this.#error = view.connection === 'closed' ? view.error : undefined;
    if (view.lastSeq > this.#seq && !this.#take(view)) this.#wake?.();
  }

  /** Takes what came since from the store, where it is all there, event by event. */
  #take({ events }: RunView): boolean {
    const news = events.filter(({ seq }) => seq > this.#seq);
    const [first] = news;
    if (!first || news.some((it) => it.first !== undefined) || (first.prev ?? first.seq - 1) > this.#seq) return false;
    for (const event of news) this.#recording.add(event);
    const last = news.at(-1) as TelltaleEvent;
    this.#cursor = formatCursor(last.epoch, last.seq);
    this.#isComplete = isTerminal(last.type);
    if (this.#isComplete) this.#wake?.();
    return true;
  }

  get #seq(): number {
    return parseCursor(this.#cursor ?? '')?.seq ?? 0;
  }

  #look(): ReplayView {
    const { tape, marks } = this.#recording;
    const { data } = this.run.getSnapshot();
    if (marks.length !== this.#marks.length) this.#marks = marks.slice();
    return {
      first: tape.seq(0),
      last: tape.seq(tape.length - 1),
      loaded: tape.length,
      total: Math.max(tape.length, data?.events ?? 0),
      isLoading: this.#isLoading,
      isComplete: this.#isComplete,
      error: this.#error,
      marks: this.#marks,
      resets: Math.max(0, this.#begun - 1),
    };
  }

  #show(): void {
    this.#view = this.#look();
    for (const listener of this.#listeners) listener();
  }
}
