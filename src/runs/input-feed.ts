import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../log/index.ts';
import type { EventData, RunInput, TelltaleEvent } from '../protocol/index.ts';
import { isAway } from './is-away.ts';
import type { Said } from './run-watch.ts';

/** Where an input stands in the log. */
interface Place {
  readonly seq: number;
  readonly epoch: string;
}

/** What iterators of a feed give; each can be let go of while it waits. */
export interface Heard {
  [Symbol.asyncIterator](): Pick<AsyncGenerator<RunInput, void>, 'next' | 'return'>;
}

const RETRY_MS = 200;

/**
 * What people say to one run, for its agent. The log holds it: kept here is where each input stands, so that any number
 * of iterators costs no memory, however far behind they are.
 */
export class InputFeed {
  readonly #log: Log;
  readonly #run: { readonly threadId: string; readonly runId: string };
  readonly #places: Place[] = [];
  readonly #waiting = new Set<() => void>();
  #ended = false;

  constructor(log: Log, run: { readonly threadId: string; readonly runId: string }) {
    this.#log = log;
    this.#run = run;
  }

  hear({ type, seq, epoch }: Said): void {
    const last = this.#places.at(-1);
    // A watch may tell of one again; a log that lost its end gives numbers anew, under another epoch.
    if (type !== 'input.received' || (last && last.epoch === epoch && last.seq >= seq)) return;
    this.#places.push({ seq, epoch });
    this.#wake();
  }

  /** The run was stopped, or has ended: so do all iterators, wherever they are. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** Everything from the run's beginning on, once for each iterator. */
  inputs(): Heard {
    return { [Symbol.asyncIterator]: () => this.#iterate() };
  }

  #iterate(): ReturnType<Heard[typeof Symbol.asyncIterator]> {
    let left = false;
    const isOver = () => left || this.#ended;
    const inputs = this.#read(isOver);
    return {
      next: () => inputs.next(),
      return: (value) => {
        // A generator would wait for the input that its `next` waits for.
        left = true;
        this.#wake();
        return inputs.return(value);
      },
    };
  }

  async *#read(isOver: () => boolean): AsyncGenerator<RunInput, void> {
    for (let index = 0; !isOver(); ) {
      const place = this.#places[index];
      if (!place) {
        await new Promise<void>((resolve) => this.#waiting.add(resolve));
        continue;
      }
      const event = await this.#at(place, isOver);
      index++;
      if (!event || isOver()) continue;
      const { inputId = String(event.seq), input, by } = event.data as EventData<'input.received'>;
      yield { inputId, input, ...(by !== undefined && { by }) };
    }
  }

  /** Nothing where it was trimmed, or lost with the log's end. Waits for a log that is away. */
  async #at({ seq, epoch }: Place, isOver: () => boolean): Promise<TelltaleEvent | undefined> {
    while (!isOver()) {
      try {
        const [block] = (await this.#log.read(this.#run.threadId, seq - 1, 1)).blocks;
        if (block?.first !== seq || block.entry(seq).runId !== this.#run.runId) return undefined;
        const event = block.event(seq);
        return event.type === 'input.received' && event.epoch === epoch ? event : undefined;
      } catch (error) {
        if (!isAway(error)) return undefined;
        await sleep(RETRY_MS, undefined, { ref: false });
      }
    }
    return undefined;
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}
