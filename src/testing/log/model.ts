/** The log as a few maps, without storage, promises or speed: what the properties compare a store with. */
import type { EncodedEvent, ErrorCode } from '../../protocol/index.ts';
import type { RunRef } from './kit.ts';

/** What an append must bring: numbers, or a refusal. */
export type Expected = { first: number; last: number; duplicate?: true } | ErrorCode;

export interface ModelAppend {
  readonly of: RunRef;
  readonly batch: readonly EncodedEvent[];
  readonly opens: boolean;
  readonly closes: boolean;
  readonly producer?: { id: string; epoch: number; seq: number; digest: string };
  readonly once?: string;
}

interface ModelRun {
  readonly threadId: string;
  ended: boolean;
  erased?: true;
  events: number;
  /** Highest epoch and number of each producer. */
  readonly newest: Map<string, [epoch: number, seq: number]>;
  readonly sent: Map<string, { digest: string; first: number; last: number }>;
}

export class Model {
  /** What each thread holds, number by number; what was trimmed is `undefined`, what was erased is empty. */
  readonly threads = new Map<string, (string | undefined)[]>();
  readonly runs = new Map<string, ModelRun>();
  readonly #decided = new Set<string>();

  append({ of: { runId, threadId }, batch, opens, closes, producer, once }: ModelAppend): Expected {
    const run = this.runs.get(runId);
    if (run?.erased) return 'run_deleted';
    const key = producer && `${producer.id} ${producer.epoch} ${producer.seq}`;
    const earlier = key === undefined ? undefined : run?.sent.get(key);
    if (earlier) {
      const { digest, ...numbers } = earlier;
      return digest === producer?.digest ? { ...numbers, duplicate: true } : 'producer_conflict';
    }
    if (opens && run) return 'run_exists';
    if (!opens && run?.threadId !== threadId) return 'run_not_found';
    if (once !== undefined && this.#decided.has(`${threadId} ${once}`)) return 'already_decided';
    if (run?.ended) return 'run_closed';
    if (producer) {
      const [epoch, seq] = run?.newest.get(producer.id) ?? [0, -1];
      if (producer.epoch < epoch) return 'producer_fenced';
      if (producer.seq !== (producer.epoch === epoch ? seq + 1 : 0)) return 'producer_gap';
    }
    const events = this.threads.get(threadId) ?? [];
    this.threads.set(threadId, events);
    const first = events.length + 1;
    for (const { rest } of batch) events.push(rest);
    const last = events.length;
    const now = run ?? { threadId, ended: false, events: 0, newest: new Map(), sent: new Map() };
    this.runs.set(runId, now);
    now.events += batch.length;
    now.ended = closes;
    if (once !== undefined) this.#decided.add(`${threadId} ${once}`);
    if (producer && key !== undefined) {
      now.newest.set(producer.id, [producer.epoch, producer.seq]);
      now.sent.set(key, { digest: producer.digest, first, last });
    }
    return { first, last };
  }

  trim(threadId: string, through: number): void {
    const events = this.threads.get(threadId);
    if (events) events.fill(undefined, 0, Math.max(0, Math.min(through, events.length - 1)));
  }

  erase(runId: string): ErrorCode | undefined {
    const run = this.runs.get(runId);
    if (!run?.ended) return run ? 'run_open' : 'run_not_found';
    run.erased = true;
    const events = this.threads.get(run.threadId) ?? [];
    for (const [i, rest] of events.entries()) if (rest?.includes(`"runId":"${runId}"`)) events[i] = '';
    return undefined;
  }

  /** The oldest number that is still there. */
  first(threadId: string): number {
    return (this.threads.get(threadId) ?? []).findIndex((rest) => rest !== undefined) + 1;
  }
}
