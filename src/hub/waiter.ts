import type { Page } from '../log/index.ts';
import type { Block } from '../protocol/index.ts';
import type { Permit } from './permit.ts';
import type { Tail } from './tail.ts';
import type { Flushable, Turn } from './turn.ts';

/** What somebody waits for who asks instead of listening. */
export interface WaitRequest {
  readonly threadId: string;
  /** Only what this run does counts; without it, whatever comes to the thread. */
  readonly runId?: string;
  /** Everything up to here is known, as numbered by `epoch`. */
  readonly after: number;
  readonly epoch: string;
  readonly milliseconds: number;
  /** Aborted when nobody waits any more. */
  readonly signal?: AbortSignal;
  /** Ends the wait; whether what came may still be told is for whoever asked to find out. */
  readonly permit?: Permit | undefined;
}

/**
 * What came of waiting: what there is now, as `Log.read` would give it, from the memory that all who wait share; `look`
 * where that must be read from the log itself; `over` where it is time to answer with what there is.
 */
export type News = Page | 'look' | 'over';

/** One poll that waits at the end of a thread. It is told once per turn of the event loop, as viewers are. */
export class Waiter implements Flushable {
  readonly news: Promise<News>;
  readonly #tail: Tail;
  readonly #turn: Turn;
  readonly #request: WaitRequest;
  #after: number;
  #resolve!: (news: News) => void;

  constructor(tail: Tail, turn: Turn, request: WaitRequest) {
    this.#tail = tail;
    this.#turn = turn;
    this.#request = request;
    this.#after = request.after;
    this.news = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** The thread's next block has come. @param runs whose events are in it. */
  take(block: Block, runs: ReadonlySet<string>): void {
    if (block.last <= this.#after) return;
    const { runId } = this.#request;
    if (runId === undefined || runs.has(runId)) this.#turn.add(this);
    // What is not for this run need not be kept at hand until it does something.
    else if (this.#after === block.first - 1) this.#after = block.last;
  }

  flush(): void {
    const { head } = this.#tail;
    const blocks = this.#tail.read(this.#request.epoch, this.#after);
    this.#resolve(blocks ? { head, blocks } : 'look');
  }

  end(news: 'look' | 'over'): void {
    this.#resolve(news);
  }
}
