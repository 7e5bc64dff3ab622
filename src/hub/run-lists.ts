import {
  comparePlaces,
  type RunChange,
  type RunPlace,
  type RunRecord,
  type RunSummary,
  summaryOf,
} from '../log/index.ts';
import { isEnded, runFrame, TelltaleError } from '../protocol/index.ts';
import { isUpTo, type Told } from './run-fold.ts';
import { RunFolds } from './run-folds.ts';
import { type RunListRequest, RunListViewer } from './run-list-viewer.ts';
import type { Sink } from './sink.ts';
import type { Surroundings } from './viewer.ts';
import type { Ticking, Wheel } from './wheel.ts';

/** So many of the newest runs are looked at with each check. */
const CHECKED = 200;
/** A run as a list tells of it: its record, and what was known of its events. */
export interface Row {
  readonly run: RunRecord;
  readonly told: Told | undefined;
}

const BEFORE_ALL: RunPlace = { createdAt: '', runId: '' };

/**
 * The live lists of this node. They share one follower of the run index, one read of each run that changed, and one
 * timed look at the runs they show: a hint that was lost costs time, and nothing else. What only a run's events tell comes
 * after its row, and then with each look.
 */
export class RunLists implements Ticking {
  readonly #around: Omit<Surroundings, 'onClosed'>;
  readonly #checks: Wheel;
  readonly #viewers = new Set<RunListViewer>();
  /** Runs as they were read since the last check; a hint drops them. */
  readonly #reads = new Map<string, Promise<RunRecord | undefined>>();
  readonly #frames = new WeakMap<RunRecord, { readonly told: Told | undefined; readonly text: string }>();
  readonly #folds: RunFolds;
  #following: Promise<() => void> | undefined;
  #slot = 0;
  /** Place of the newest run at the last check. */
  #newest: RunPlace = BEFORE_ALL;
  #closed = false;
  #emptied: (() => void) | undefined;

  constructor(around: Omit<Surroundings, 'onClosed'>, checks: Wheel) {
    this.#around = around;
    this.#checks = checks;
    this.#folds = new RunFolds(around.log, (run) => {
      for (const viewer of this.#viewers) if (viewer.shown.has(run.runId)) viewer.check(run.runId, run);
    });
  }

  get size(): number {
    return this.#viewers.size;
  }

  /**
   * Opens a live list into a sink. It is followed first and listed then: what changes in between is told after the list.
   *
   * @throws {TelltaleError} what the log says; the sink was not touched.
   */
  async open(request: RunListRequest, sink: Sink): Promise<void> {
    const viewer = new RunListViewer(this.#around, this, request, sink, (it) => this.#remove(it));
    if (this.#viewers.size === 0) this.#start();
    this.#viewers.add(viewer);
    try {
      await this.#following;
      if (this.#closed) viewer.close();
      await viewer.begin();
    } catch (error) {
      this.#remove(viewer);
      throw error;
    }
  }

  /** The run as it is now, or was when the last hint about it came. */
  read(runId: string): Promise<RunRecord | undefined> {
    let read = this.#reads.get(runId);
    if (!read) {
      read = this.#around.log.runs.get(runId).catch(unlessDeleted);
      this.#reads.set(runId, read);
    }
    return read;
  }

  /** @param known what was known of the run before; it is told on as long as nothing newer is. */
  row(run: RunRecord, known?: Told): Row {
    return { run, told: this.#folds.told(run) ?? known };
  }

  /** What is said of a run, written once for all lists. */
  frame({ run, told }: Row): string {
    const written = this.#frames.get(run);
    if (written && written.told === told) return written.text;
    const text = runFrame(summaryOf(run, told?.details));
    this.#frames.set(run, { told, text });
    return text;
  }

  /** Finds out what the events of a run tell, for a list that has begun to show it. */
  describe({ run, told }: Row): void {
    if (!told) this.#folds.fold(run);
  }

  /** What is known of runs after waiting for it, for so many milliseconds at most. */
  async describeAll(runs: readonly RunRecord[], milliseconds: number): Promise<readonly RunSummary[]> {
    const told = await this.#folds.wait(runs, milliseconds);
    return runs.map((run, i) => summaryOf(run, told[i]?.details));
  }

  forget(runId: string): void {
    this.#folds.forget(runId);
  }

  tick(): void {
    // A log that cannot be read now is asked again at the next tick.
    this.#check().catch(() => {});
  }

  /** Ends every list, and resolves when all are gone. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#folds.close();
    for (const viewer of this.#viewers) viewer.close();
    if (this.#viewers.size > 0) await new Promise<void>((resolve) => (this.#emptied = resolve));
  }

  #start(): void {
    this.#following = this.#follow();
    this.#following.catch(() => {});
    this.#slot = this.#checks.add(this);
  }

  async #follow(): Promise<() => void> {
    const { runs } = this.#around.log;
    const stop = await runs.follow((change) => this.#note(change));
    try {
      this.#newest = (await runs.list({ limit: 1 })).runs[0] ?? BEFORE_ALL;
      return stop;
    } catch (error) {
      stop();
      throw error;
    }
  }

  #remove(viewer: RunListViewer): void {
    if (!this.#viewers.delete(viewer) || this.#viewers.size > 0) return;
    this.#following?.then((stop) => stop()).catch(() => {});
    this.#checks.remove(this, this.#slot);
    this.#reads.clear();
    this.#folds.keepOnly(new Set());
    this.#emptied?.();
  }

  #note(change: RunChange): void {
    this.#reads.delete(change.runId);
    if (!change.run) this.#folds.forget(change.runId);
    for (const viewer of this.#viewers) viewer.note(change);
  }

  /** Looks at the newest runs, and at all that a list shows and that can still change. */
  async #check(): Promise<void> {
    this.#reads.clear();
    const found = new Map<string, RunRecord | undefined>();
    const oldest = await this.#findNewest(found);
    const doubtful = new Set<string>();
    for (const { shown } of this.#viewers) {
      for (const [runId, { run }] of shown) {
        const isInPage = !oldest || comparePlaces(run, oldest) >= 0;
        if (!found.has(runId) && (isInPage || !isEnded(run.status))) doubtful.add(runId);
      }
    }
    await Promise.all([...doubtful].map(async (runId) => found.set(runId, await this.read(runId))));
    this.#foldOn(found);
    for (const [runId, run] of found) {
      for (const viewer of this.#viewers) {
        // Its growth is told with what it has brought; a new status waits for nothing.
        if (run && this.#folds.isCatchingUp(runId)) viewer.note({ runId, run });
        else viewer.check(runId, run);
      }
    }
  }

  /** Brings what is known of all runs that a list shows up to how they were found, or were told last. */
  #foldOn(found: ReadonlyMap<string, RunRecord | undefined>): void {
    const watched = new Set<string>();
    for (const { shown } of this.#viewers) {
      for (const [runId, { run, told }] of shown) {
        const now = found.has(runId) ? found.get(runId) : run;
        watched.add(runId);
        if (!now) this.#folds.forget(runId);
        else if (!isUpTo(told, now)) this.#folds.fold(now);
      }
    }
    this.#folds.keepOnly(watched);
  }

  /** All runs down to the newest of the last check, and some more. Returns the place they reach down to, unless all are found. */
  async #findNewest(found: Map<string, RunRecord | undefined>): Promise<RunPlace | undefined> {
    const known = this.#newest;
    let before: string | undefined;
    let oldest: RunPlace | undefined;
    do {
      const page = await this.#around.log.runs.list({ limit: CHECKED, ...(before !== undefined && { before }) });
      if (before === undefined) this.#newest = page.runs[0] ?? BEFORE_ALL;
      for (const run of page.runs) found.set(run.runId, run);
      oldest = page.runs.at(-1);
      before = page.next;
    } while (before !== undefined && oldest && comparePlaces(oldest, known) > 0);
    return before === undefined ? undefined : oldest;
  }
}

function unlessDeleted(error: unknown): undefined {
  if (!(error instanceof TelltaleError) || error.code !== 'run_deleted') throw error;
}
