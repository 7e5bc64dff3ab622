/** What a store makes of a log. There is one reducer, `reduce`; these only say of which runs. */
import {
  asOneChange,
  emptySnapshot,
  type RunSnapshot,
  reduce,
  TelltaleError,
  type TelltaleEvent,
} from '../protocol/index.ts';

/** Events in, data out. What `show` returned is never changed afterwards. */
export interface Fold<Data> {
  add(event: TelltaleEvent): void;
  /** Begins anew from the server's fold. */
  load(snapshot: RunSnapshot): void;
  /** Begins anew from nothing. */
  clear(): void;
  /** `undefined` as long as nothing was folded in. */
  show(): Data | undefined;
}

/** One run. */
export class RunFold implements Fold<RunSnapshot> {
  readonly #runId: string;
  #snapshot: RunSnapshot;
  /** Until it is shown, nobody has seen what it makes: one copy of a list per frame, not one per event. */
  #reduce = asOneChange(reduce);

  constructor(runId: string, initial?: RunSnapshot) {
    this.#runId = runId;
    this.#snapshot = initial ?? emptySnapshot(runId);
  }

  add(event: TelltaleEvent): void {
    this.#check(event);
    this.#snapshot = this.#reduce(this.#snapshot, event);
  }

  load(snapshot: RunSnapshot): void {
    this.#check(snapshot);
    this.#snapshot = snapshot;
    this.#reduce = asOneChange(reduce);
  }

  clear(): void {
    this.load(emptySnapshot(this.#runId));
  }

  show(): RunSnapshot | undefined {
    this.#reduce = asOneChange(reduce);
    return this.#snapshot.seq === 0 ? undefined : this.#snapshot;
  }

  #check({ runId }: { readonly runId: string }): void {
    if (runId === this.#runId) return;
    throw new TelltaleError('stream_broken', `The stream of run ${this.#runId} told of run ${runId}.`);
  }
}

/** A conversation: all runs of a thread, by their beginning. */
export interface ThreadSnapshot {
  readonly threadId: string;
  readonly runs: readonly RunSnapshot[];
}

export class ThreadFold implements Fold<ThreadSnapshot> {
  readonly #threadId: string;
  readonly #runs = new Map<string, RunFold>();

  constructor(threadId: string) {
    this.#threadId = threadId;
  }

  add(event: TelltaleEvent): void {
    let run = this.#runs.get(event.runId);
    if (!run) {
      run = new RunFold(event.runId);
      this.#runs.set(event.runId, run);
    }
    run.add(event);
  }

  load(snapshot: RunSnapshot): void {
    this.#runs.set(snapshot.runId, new RunFold(snapshot.runId, snapshot));
  }

  clear(): void {
    this.#runs.clear();
  }

  show(): ThreadSnapshot | undefined {
    const runs = [...this.#runs.values()].flatMap((run) => run.show() ?? []);
    return runs.length === 0 ? undefined : { threadId: this.#threadId, runs };
  }
}
