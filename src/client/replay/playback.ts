import { Flush } from '../flush.ts';
import type { MarkKind } from './marks.ts';
import type { Replay } from './replay.ts';
import { IDLE_MS } from './tape.ts';

/** Where a replay stands, and how it goes on. */
export interface PlaybackView {
  /** The number of the moment that is shown; `undefined`: the run as it is now. */
  readonly seq: number | undefined;
  readonly isPlaying: boolean;
  /** How many times faster than the log. */
  readonly rate: number;
  /** Whether time in which nothing happened for more than two seconds is passed over. */
  readonly skipIdle: boolean;
}

/** What moves a playback. Any of them may be handed on by itself. */
export type PlaybackControls = Pick<
  Playback,
  'seek' | 'step' | 'next' | 'previous' | 'play' | 'pause' | 'setRate' | 'setSkipIdle' | 'goLive'
>;

/** A timer that is set for less comes no sooner than a frame. */
const TICK_MS = 16;
/** `setTimeout` takes no more. */
const MAX_TICK_MS = 2 ** 31 - 1;

/**
 * Moves through a replay: to any event, from mark to mark, or by itself in the time of the log. Has a timer while it
 * plays, and none otherwise. What it shows changes at most once a frame, however fast somebody drags.
 *
 * @example
 * const playback = new Playback(replay);
 * playback.setRate(5);
 * playback.play();
 */
export class Playback {
  readonly #replay: Replay;
  readonly #listeners = new Set<() => void>();
  readonly #flush = new Flush(() => this.#show());
  #next: PlaybackView;
  #view: PlaybackView;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Where it plays: milliseconds of the log, as of so many of `performance.now()`. */
  #time = 0;
  #since = 0;
  #leave: (() => void) | undefined;

  /** @param seq where it begins; the run as it is now by default. */
  constructor(replay: Replay, seq?: number) {
    this.#replay = replay;
    this.#next = this.#view = { seq, isPlaying: false, rate: 1, skipIdle: true };
  }

  /** Calls `listener` after each new view, until the returned function is called. */
  readonly subscribe = (listener: () => void): (() => void) => {
    const own = (): void => listener();
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  };

  readonly getSnapshot = (): PlaybackView => this.#view;

  /** Shows the run after the last event up to a number. What plays goes on from there. */
  readonly seek = (seq: number): void => {
    this.#set({ seq: Math.max(0, Math.floor(seq)) });
    this.#anchor();
  };

  /** So many events on, or back. */
  readonly step = (count: number): void => {
    this.pause();
    this.#set({ seq: this.#replay.step(this.#seq, count) });
  };

  /** To the next mark of a kind; stays where there is none. */
  readonly next = (kind: MarkKind): void => this.#goTo(this.#replay.next(kind, this.#seq));
  readonly previous = (kind: MarkKind): void => this.#goTo(this.#replay.previous(kind, this.#seq));

  /** Shows the run as it is now. */
  readonly goLive = (): void => {
    this.pause();
    this.#set({ seq: undefined });
  };

  /** Plays from the moment that is shown; from the beginning where that is the last. Ends with the run, or where it is now. */
  readonly play = (): void => {
    if (this.#next.isPlaying) return;
    const { first, last } = this.#replay.getSnapshot();
    this.#set({ isPlaying: true, ...(this.#seq >= last && { seq: first }) });
    this.#leave ??= this.#replay.subscribe(this.#tick);
    this.#anchor();
  };

  readonly pause = (): void => {
    clearTimeout(this.#timer);
    this.#leave?.();
    this.#leave = undefined;
    this.#set({ isPlaying: false });
  };

  /** @param rate how many times faster than the log: more than 0. */
  readonly setRate = (rate: number): void => {
    this.#set({ rate });
    this.#anchor();
  };

  readonly setSkipIdle = (skipIdle: boolean): void => {
    this.#set({ skipIdle });
    this.#anchor();
  };

  /** All that moves it, to be handed on. */
  get controls(): PlaybackControls {
    const { seek, step, next, previous, play, pause, setRate, setSkipIdle, goLive } = this;
    return { seek, step, next, previous, play, pause, setRate, setSkipIdle, goLive };
  }

  get #seq(): number {
    return this.#next.seq ?? this.#replay.getSnapshot().last;
  }

  #goTo(mark: { readonly seq: number } | undefined): void {
    if (!mark) return;
    this.pause();
    this.#set({ seq: mark.seq });
  }

  #set(more: Partial<PlaybackView>): void {
    this.#next = { ...this.#next, ...more };
    this.#flush.request();
  }

  /** Plays from here and now. */
  #anchor(): void {
    this.#time = this.#replay.time(this.#seq);
    this.#since = performance.now();
    if (this.#next.isPlaying) this.#tick();
  }

  /** Shows what is due by now, and comes back when the next event is. */
  readonly #tick = (): void => {
    clearTimeout(this.#timer);
    const replay = this.#replay;
    const { rate, skipIdle } = this.#next;
    let seq = this.#seq;
    for (;;) {
      const next = replay.step(seq, 1);
      if (next <= seq) {
        this.#arrive(seq);
        return;
      }
      const idle = replay.time(next) - replay.time(seq);
      const due = (replay.time(next) - this.#time) / rate - (performance.now() - this.#since);
      if (due > 0 && !(skipIdle && idle > IDLE_MS)) {
        if (seq !== this.#next.seq) this.#set({ seq });
        this.#timer = setTimeout(this.#tick, Math.min(MAX_TICK_MS, Math.max(TICK_MS, due)));
        return;
      }
      // What was passed over was not waited for: time goes on from the event behind it.
      if (due > 0) {
        this.#time = replay.time(next);
        this.#since = performance.now();
      }
      seq = next;
    }
  };

  /** At the last event that is here: the end of the run, or what is now; or else more will be read. */
  #arrive(seq: number): void {
    const { isLoading, isComplete } = this.#replay.getSnapshot();
    if (seq !== this.#next.seq) this.#set({ seq });
    if (isComplete) this.pause();
    else if (!isLoading) this.goLive();
  }

  #show(): void {
    this.#view = this.#next;
    for (const listener of this.#listeners) listener();
  }
}
