import type { Ack, Log, Wake } from '../log/index.ts';
import { type Block, type KnownEvent, LATENESS_MS, locate } from '../protocol/index.ts';

/** What a run asks, and what people say to it, in the order of the log: questions, answers, commands, input. */
export type Said = KnownEvent & { readonly type: (typeof SAID)[number] };
const SAID = [
  ...(['control.requested', 'control.refused', 'control.overdue'] as const),
  ...(['approval.requested', 'approval.resolved', 'approval.expired', 'input.received'] as const),
];
const isSaid = (type: string): boolean => SAID.includes(type as Said['type']);

/**
 * Follows a thread for what is said to one run, as a viewer's tail does: wake-ups are hints, only `read` says what is
 * there, and every `LATENESS_MS` it looks without being asked. That is how a cancel reaches the executor from any node.
 */
export class RunWatch {
  readonly #log: Log;
  readonly #threadId: string;
  readonly #runId: string;
  readonly #onSaid: (event: Said) => void;
  readonly #recheck: NodeJS.Timeout;
  /** Everything up to here was looked at, as numbered by `#epoch`. */
  #position: number;
  #epoch: string;
  #unfollow: (() => void) | undefined;
  #reading: 'no' | 'yes' | 'again' = 'no';
  #stopped = false;

  /** Tells of everything said after the run's opening, each at least once. */
  constructor(
    log: Log,
    run: { readonly threadId: string; readonly runId: string },
    opened: Ack,
    onSaid: (event: Said) => void,
  ) {
    this.#log = log;
    this.#threadId = run.threadId;
    this.#runId = run.runId;
    this.#position = opened.last;
    this.#epoch = opened.epoch;
    this.#onSaid = onSaid;
    this.#recheck = setInterval(() => this.#look(), LATENESS_MS);
    this.#look();
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#recheck);
    this.#unfollow?.();
  }

  #wake({ block }: Wake): void {
    if (this.#stopped) return;
    if (block?.epoch === this.#epoch && block.first <= this.#position + 1) this.#scan(block);
    else this.#look();
  }

  /** Reads to the tail, once at a time. */
  #look(): void {
    if (this.#reading !== 'no') {
      this.#reading = 'again';
      return;
    }
    this.#reading = 'yes';
    this.#readOn()
      // The log is away, or closed: the next look finds what this one did not.
      .catch(() => undefined)
      .finally(() => {
        const again = this.#reading === 'again' && !this.#stopped;
        this.#reading = 'no';
        if (again) this.#look();
      });
  }

  async #readOn(): Promise<void> {
    // Follow first, then read: what is committed in between is found by one of them.
    this.#unfollow ??= await this.#log.follow(this.#threadId, (wake) => this.#wake(wake));
    for (;;) {
      if (this.#stopped) return this.#unfollow();
      const { head, blocks } = await this.#log.read(this.#threadId, this.#position);
      const { after, reset } = locate({ epoch: this.#epoch, seq: this.#position }, head);
      if (reset) {
        // The log lost its end, and the numbers behind it are given anew: what was read with these was not it.
        this.#position = after;
        this.#epoch = head.epoch;
        continue;
      }
      if (blocks.length === 0) return;
      for (const block of blocks) this.#scan(block);
    }
  }

  #scan(block: Block): void {
    this.#epoch = block.epoch;
    for (let seq = Math.max(block.first, this.#position + 1); seq <= block.last; seq++) {
      const { type, runId } = block.entry(seq);
      this.#position = seq;
      if (isSaid(type) && runId === this.#runId && !this.#stopped) this.#onSaid(block.event(seq) as Said);
    }
  }
}
