import type { EncodedEvent, Limits } from '../protocol/index.ts';

interface Waiting {
  readonly event: EncodedEvent;
  /** Escaped texts of later deltas of the same entity, and their bytes. */
  readonly more: string[];
  moreBytes: number;
}

/** Events that wait for the log, oldest first, counted in bytes until they were taken *and* acknowledged. */
export class Backlog {
  readonly #limits: Pick<Limits, 'eventBytes' | 'batchBytes' | 'batchEvents'>;
  #queue: Waiting[] = [];
  /** The newest delta of each entity, since the last event that was no delta: joining behind it keeps every order. */
  readonly #joinable = new Map<string, Waiting>();
  /** Of everything that waits or is under way. */
  bytes = 0;

  constructor(limits: Pick<Limits, 'eventBytes' | 'batchBytes' | 'batchEvents'>) {
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** Puts an event behind the others; under `pressure` a mergeable delta joins the one before it of its entity. */
  add(event: EncodedEvent, mergeable: boolean, pressure: boolean): void {
    const { entity } = event;
    if (!mergeable || entity === undefined) this.#joinable.clear();
    else if (pressure && this.#join(entity, event)) return;
    const waiting = { event, more: [], moreBytes: 0 };
    if (mergeable && entity !== undefined) this.#joinable.set(entity, waiting);
    this.#queue.push(waiting);
    this.bytes += event.bytes;
  }

  /** The next batch: as many as one append may have. They count until `taken` is told of them. */
  take(): EncodedEvent[] {
    const { batchBytes, batchEvents } = this.#limits;
    let count = 0;
    let bytes = 0;
    for (const { event, moreBytes } of this.#queue) {
      bytes += event.bytes + moreBytes;
      if (count === batchEvents || (count > 0 && bytes > batchBytes)) break;
      count++;
    }
    this.#joinable.clear();
    return this.#queue.splice(0, count).map(joined);
  }

  taken(batch: readonly EncodedEvent[]): void {
    for (const event of batch) this.bytes -= event.bytes;
  }

  /** Forgets what waits; how many events that were. */
  clear(): number {
    const count = this.#queue.length;
    for (const { event, moreBytes } of this.#queue) this.bytes -= event.bytes + moreBytes;
    this.#queue = [];
    this.#joinable.clear();
    return count;
  }

  #join(entity: string, { rest, deltaBytes = 0 }: EncodedEvent): boolean {
    const waiting = this.#joinable.get(entity);
    if (!waiting || waiting.event.bytes + waiting.moreBytes + deltaBytes > this.#limits.eventBytes) return false;
    // The text comes last and has its quotes escaped, so the last `"delta":"` is where it begins.
    waiting.more.push(rest.slice(rest.lastIndexOf(DELTA) + DELTA.length, -END.length));
    waiting.moreBytes += deltaBytes;
    this.bytes += deltaBytes;
    return true;
  }
}

const DELTA = '"delta":"';
const END = '"}}';

function joined({ event, more, moreBytes }: Waiting): EncodedEvent {
  if (more.length === 0) return event;
  return {
    ...event,
    rest: `${event.rest.slice(0, -END.length)}${more.join('')}${END}`,
    bytes: event.bytes + moreBytes,
    deltaBytes: (event.deltaBytes ?? 0) + moreBytes,
  };
}
