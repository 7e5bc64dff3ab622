import type { Log, Page, Wake } from '../log/index.ts';
import { blockAfter } from '../log/index.ts';
import { type Block, type Head, TelltaleError } from '../protocol/index.ts';
import type { Turn } from './turn.ts';
import type { View } from './view.ts';
import type { Waiter } from './waiter.ts';
import type { Ticking, Wheel } from './wheel.ts';
import { Window } from './window.ts';

export interface TailOptions {
  readonly log: Log;
  readonly threadId: string;
  readonly turn: Turn;
  /** Ticks twice per lateness bound. */
  readonly checks: Wheel;
  readonly windowBytes: number;
  /** Told that a run's events are void from now on. */
  readonly onErased: (tail: Tail, runId: string) => void;
}

/**
 * The end of one watched thread, as this node knows it: its newest events, and the live views of them.
 *
 * Wake-ups are hints. A block that came with one is taken only if it is of the same epoch and the next in line; after
 * anything else the log is read. A log whose end was lost (another epoch) makes every view end: each viewer reads on
 * from the log and is told there what it shares with it.
 */
export class Tail implements Ticking {
  readonly threadId: string;
  readonly views = new Map<string, View>();
  /** Polls that wait for what comes next. */
  readonly waiters = new Set<Waiter>();
  /** Resolves when everything that is committed from then on will be seen. */
  readonly opened: Promise<void>;
  /** Runs that were erased since it was opened. Whatever was read before one came in may hold what is void now. */
  readonly erased = new Set<string>();
  /** How many streams and polls keep it open. */
  holders = 0;
  readonly #options: TailOptions;
  #head: Head | undefined;
  #window = new Window(0, 0);
  #closed = false;
  #unfollow: (() => void) | undefined;
  #slot: number | undefined;
  #reading: Promise<void> | undefined;
  #readAgain = false;
  /** The newest number at the last tick: what is older by the next one is of use to nobody who keeps up. */
  #seenAtTick = 0;

  constructor(options: TailOptions) {
    this.#options = options;
    this.threadId = options.threadId;
    this.opened = this.#open();
  }

  /** What the log held when it was last heard of. Not before `opened`. */
  get head(): Head {
    return this.#head!;
  }

  /** The next blocks after a place that was reached under `epoch`, where they are at hand. */
  read(epoch: string, after: number): readonly Block[] | undefined {
    return epoch === this.head.epoch ? this.#window.read(after) : undefined;
  }

  isAtEnd(epoch: string, after: number): boolean {
    return epoch === this.head.epoch && after === this.#window.last;
  }

  /** Takes what somebody read of the log, as far as it is news. False: the log is further, and must be read from here. */
  offer({ head, blocks }: Page): boolean {
    for (const block of blocks) this.#take(block);
    return head.epoch === this.head.epoch && head.last <= this.head.last;
  }

  /** Reads the log up to its end. */
  refresh(): Promise<void> {
    this.#readAgain = true;
    this.#reading ??= this.#readOn().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** Bounds the lateness when wake-ups are lost, and the memory of threads that are quiet. */
  tick(): void {
    this.#window.forget(this.#seenAtTick);
    this.#forgetInViews();
    this.#seenAtTick = this.#window.last;
    this.#check().catch(later);
  }

  close(): void {
    this.#closed = true;
    this.#unfollow?.();
    if (this.#slot !== undefined) this.#options.checks.remove(this, this.#slot);
  }

  /** Follows first, then looks: what is committed in between is in the head, or wakes. */
  async #open(): Promise<void> {
    const { log, checks } = this.#options;
    const { threadId } = this;
    this.#unfollow = await log.follow(threadId, (wake) => this.#wake(wake));
    const head = await log.head(threadId);
    if (!head) throw new TelltaleError('thread_not_found', `There is no thread ${threadId}.`, { threadId });
    this.#restart(head);
    this.#slot = checks.add(this);
    if (this.#readAgain) this.refresh().catch(later);
  }

  #wake({ epoch, last, block, erased }: Wake): void {
    if (this.#closed) return;
    if (erased !== undefined) this.#erase(erased);
    if (!this.#head) this.#readAgain = true;
    else if (block && this.#take(block)) return;
    else if (epoch !== this.#head.epoch || last > this.#head.last) this.refresh().catch(later);
  }

  /** A lost wake-up of this kind is made up for by the ticks: after two of them no event is at hand that was there before. */
  #erase(runId: string): void {
    this.erased.add(runId);
    if (this.#head) this.#restart(this.#head);
    this.#options.onErased(this, runId);
  }

  /** False: it is not the next in line, or of another epoch. */
  #take(block: Block): boolean {
    const { epoch, last } = this.head;
    if (block.epoch !== epoch || block.first > last + 1) return false;
    if (block.last <= last) return true;
    const next = blockAfter(block, last);
    this.#head = { ...this.head, last: next.last };
    this.#window.add(next);
    for (const view of this.views.values()) view.push(next);
    this.#tellWaiters(next);
    this.#forgetInViews();
    return true;
  }

  async #check(): Promise<void> {
    const head = await this.#options.log.head(this.threadId);
    if (this.#closed || !head) return;
    if (head.epoch !== this.head.epoch || head.last > this.head.last) await this.refresh();
  }

  async #readOn(): Promise<void> {
    for (let more = true; more && !this.#closed; ) {
      this.#readAgain = false;
      const { last } = this.head;
      const erased = this.erased.size;
      const page = await this.#options.log.read(this.threadId, last);
      if (erased !== this.erased.size) continue;
      const continues = page.head.epoch === this.head.epoch && page.head.first <= this.head.last + 1;
      if (!continues) this.#restart(page.head);
      const complete = this.offer(page);
      more = this.#readAgain || (!complete && this.head.last > last);
    }
  }

  /** Begins anew at the log's end. Whoever was live reads on from the log, where a reset is found and told. */
  #restart(head: Head): void {
    this.#head = head;
    this.#window = new Window(head.last, this.#options.windowBytes);
    for (const view of this.views.values()) for (const viewer of view.viewers) viewer.leaveView();
    this.views.clear();
    for (const waiter of this.waiters) waiter.end('look');
  }

  #tellWaiters(block: Block): void {
    if (this.waiters.size === 0) return;
    const runs = new Set(block.entries.map(({ runId }) => runId));
    for (const waiter of this.waiters) waiter.take(block, runs);
  }

  #forgetInViews(): void {
    for (const view of this.views.values()) view.forget(this.#window.start);
  }
}

/** A log that cannot be read now is asked again at the next tick; viewers that read it themselves are told at once. */
const later = (): void => {};
