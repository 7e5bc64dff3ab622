import { comparePlaces, type Log, type RunRecord } from '../log/index.ts';
import { isEnded } from '../protocol/index.ts';
import { isUpTo, RunFold, type Told } from './run-fold.ts';

/** Of so many runs that have ended what is known is remembered: about 2 MB. */
const REMEMBERED = 5_000;
/** Steps and agents that all folds hold, and the folds themselves: about 20 MB. Beyond it the largest is given up. */
const MOST_HELD = 200_000;

/**
 * What lists tell of runs beside their records: one fold per run, shared by all lists of this node. Folds are brought
 * forward one page at a time, those that had come to their run's end before the others, newest runs first: a long run holds
 * nobody up. Of runs that go on a fold is kept for as long as somebody watches.
 */
export class RunFolds {
  readonly #log: Log;
  readonly #onTold: (run: RunRecord) => void;
  /** Of runs that go on, and of those that are being folded. */
  readonly #folds = new Map<string, RunFold>();
  /** What changes no more; what was asked for longest ago comes first. */
  readonly #remembered = new Map<string, Told>();
  readonly #due = new Map<string, RunRecord>();
  readonly #waiting = new Set<Waiting>();
  #watched: ReadonlySet<string> = new Set();
  #held = 0;
  #working = false;

  /** @param onTold what is known of the run has come up to it, or cannot now. */
  constructor(log: Log, onTold: (run: RunRecord) => void) {
    this.#log = log;
    this.#onTold = onTold;
  }

  /** What is known of a run, perhaps as it was before. */
  told(run: RunRecord): Told | undefined {
    const { runId } = run;
    const told = this.#remembered.get(runId);
    if (!told || !isUpTo(told, run)) return this.#folds.get(runId)?.told;
    this.#remembered.delete(runId);
    this.#remembered.set(runId, told);
    return told;
  }

  /** True while what comes after what is known of a run is folded in: soon there is more to tell. */
  isCatchingUp(runId: string): boolean {
    return this.#due.has(runId) && this.#folds.get(runId)?.told !== undefined;
  }

  /** Has a run folded up to how it is in `run`, unless that is known. */
  fold(run: RunRecord): void {
    if (isUpTo(this.told(run), run)) return;
    this.#due.set(run.runId, run);
    if (!this.#working) this.#work();
  }

  /** What is known of each run after waiting for it, for so many milliseconds at most. */
  async wait(runs: readonly RunRecord[], milliseconds: number): Promise<readonly (Told | undefined)[]> {
    for (const run of runs) this.fold(run);
    const missing = new Set(runs.map(({ runId }) => runId).filter((runId) => this.#due.has(runId)));
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = { wanted: new Set(runs.map(({ runId }) => runId)), missing, done: resolve };
    this.#waiting.add(waiting);
    const timer = setTimeout(resolve, missing.size > 0 ? milliseconds : 0);
    await promise;
    clearTimeout(timer);
    const known = runs.map((run) => this.told(run));
    this.#waiting.delete(waiting);
    this.keepOnly(this.#watched);
    return known;
  }

  /** Whoever waits is told what is known. */
  close(): void {
    for (const { done } of this.#waiting) done();
  }

  /** Lets go of the folds of runs that nobody watches. */
  keepOnly(watched: ReadonlySet<string>): void {
    this.#watched = watched;
    const waitedFor = [...this.#waiting].map(({ wanted }) => wanted);
    for (const runId of new Set([...this.#folds.keys(), ...this.#due.keys()])) {
      if (![watched, ...waitedFor].some((wanted) => wanted.has(runId))) this.#drop(runId);
    }
  }

  /** The run is gone. */
  forget(runId: string): void {
    this.#remembered.delete(runId);
    this.#drop(runId);
    this.#settle(runId);
  }

  async #work(): Promise<void> {
    this.#working = true;
    while (this.#due.size > 0) {
      // Also where the log answers from memory: one page, and then whoever else has work.
      await new Promise((resolve) => setImmediate(resolve));
      // Chosen only then: meanwhile it may have been deleted, or nobody watches it any more.
      const run = this.#next();
      if (run) await this.#advance(run);
    }
    this.#working = false;
  }

  #next(): RunRecord | undefined {
    let next: RunRecord | undefined;
    for (const run of this.#due.values()) {
      const before = next && Number(this.isCatchingUp(run.runId)) - Number(this.isCatchingUp(next.runId));
      if (!next || (before || comparePlaces(run, next)) > 0) next = run;
    }
    return next;
  }

  async #advance(run: RunRecord): Promise<void> {
    const { runId } = run;
    const fold = this.#folds.get(runId) ?? this.#newFold(run);
    const size = fold.size;
    const isDone = await fold.advance(this.#log, run).catch(() => 'failed' as const);
    if (fold.dropped) return;
    this.#held += fold.size - size;
    if (fold.isTooLarge) this.#giveUp(runId);
    else if (this.#held > MOST_HELD) this.#giveUp(this.#largest());
    if (fold.dropped || isDone === false) return;
    // Whoever still wants to know asks again, and the fold begins anew: it may have taken a part of a page.
    if (isDone === 'failed') this.#drop(runId);
    else if (isEnded(run.status)) this.#remember(runId, fold.told!);
    // Else a newer record has come meanwhile, up to which it is folded further.
    else if (this.#due.get(runId) === run) this.#due.delete(runId);
    this.#onTold(run);
    this.#settle(runId);
  }

  /** Nothing is told of what would take too much to find out. */
  #giveUp(runId: string): void {
    const run = this.#due.get(runId);
    this.#remember(runId, TOO_LARGE);
    if (run) this.#onTold(run);
    this.#settle(runId);
  }

  /** Who takes the room of all others: not whoever happens to come next. */
  #largest(): string {
    const all = [...this.#folds];
    const [runId] = all.reduce((a, b) => (a[1].size < b[1].size ? b : a));
    return runId;
  }

  #newFold(run: RunRecord): RunFold {
    const fold = new RunFold(run);
    this.#folds.set(run.runId, fold);
    this.#held += fold.size;
    return fold;
  }

  #remember(runId: string, told: Told): void {
    this.#drop(runId);
    this.#remembered.set(runId, told);
    if (this.#remembered.size <= REMEMBERED) return;
    const [oldest] = this.#remembered.keys();
    this.#remembered.delete(oldest!);
  }

  #drop(runId: string): void {
    const fold = this.#folds.get(runId);
    if (fold) {
      fold.dropped = true;
      this.#held -= fold.size;
    }
    this.#folds.delete(runId);
    this.#due.delete(runId);
  }

  #settle(runId: string): void {
    for (const { missing, done } of this.#waiting) if (missing.delete(runId) && missing.size === 0) done();
  }
}

/** Whoever waits until each run that is missing is folded. */
interface Waiting {
  readonly wanted: ReadonlySet<string>;
  readonly missing: Set<string>;
  readonly done: () => void;
}

/** It is as far as anybody will know. */
const TOO_LARGE: Told = { events: Number.POSITIVE_INFINITY, details: {} };
