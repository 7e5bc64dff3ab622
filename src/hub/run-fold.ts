import {
  costOf,
  detailsOf,
  type Log,
  oneLine,
  type RunDetails,
  type RunRecord,
  tellsDetails,
  titlesOf,
} from '../log/index.ts';
import {
  asOneChange,
  type Block,
  emptySnapshot,
  type RunSnapshot,
  reduce,
  type TelltaleEvent,
} from '../protocol/index.ts';

/** What was known of a run when it had so many events. */
export interface Told {
  readonly events: number;
  readonly details: RunDetails;
}

/** Whether that is all. What was known of more events than a run has now is of an end that the log has lost. */
export const isUpTo = (told: Told | undefined, { events }: RunRecord): boolean =>
  told !== undefined && (told.events === events || told.events === Number.POSITIVE_INFINITY);

/** Milliseconds for which a fold keeps the event loop at most: streams go on in between. */
const SLICE_MS = 8;
/** Steps and agents of one run. Beyond it a slice could not be kept short. */
const MOST_PARTS = 10_000;

/**
 * The fold of one run for the lists that show it, brought forward page by page. Events that tell nothing there are not even
 * parsed, and of what the fold holds only what it needs to go on is kept.
 */
export class RunFold {
  /** As of the last time that it had come to the end of its run. */
  told: Told | undefined;
  /** Nobody wants to know any more. */
  dropped = false;
  #snapshot: RunSnapshot;
  /** Errors that are no longer in the snapshot. */
  #errors = 0;
  /** Events of the run that were seen, whatever they are. */
  #events = 0;
  #lastAt: string | undefined;
  #epoch: string | undefined;
  /** Everything up to this number of the thread was looked at. */
  #after = 0;

  constructor({ runId, threadId }: RunRecord) {
    this.#snapshot = emptySnapshot(runId, threadId);
  }

  /** How much it holds: its steps and agents, and itself. */
  get size(): number {
    return 1 + this.#snapshot.steps.length + this.#snapshot.agents.length;
  }

  /** It holds more than it may: nothing is told of the run any more. */
  get isTooLarge(): boolean {
    return this.size > MOST_PARTS;
  }

  /**
   * Folds the next page of the log in. True: all that the run has according to `run`, or all that is left of it, is folded in.
   *
   * @throws {TelltaleError} what the log says.
   */
  async advance(log: Log, run: RunRecord): Promise<boolean> {
    const { head, blocks } = await log.read(run.threadId, Math.max(this.#after, run.first - 1));
    this.#epoch ??= head.epoch;
    if (head.epoch !== this.#epoch) {
      this.#begin(run, head.epoch);
      return false;
    }
    await this.#take(blocks, run.runId);
    const isAtEnd = this.#events >= run.events || (run.last !== undefined && this.#after >= run.last);
    if (!isAtEnd && blocks.length > 0) return false;
    this.told = { events: Math.max(this.#events, run.events), details: this.#details() };
    return true;
  }

  /** Under another epoch the log may have lost what was folded in. */
  #begin({ runId, threadId }: RunRecord, epoch: string): void {
    this.#snapshot = emptySnapshot(runId, threadId);
    this.#epoch = epoch;
    this.#errors = this.#events = this.#after = 0;
  }

  async #take(blocks: readonly Block[], runId: string): Promise<void> {
    let step = asOneChange(reduce);
    let since = performance.now();
    let last: TelltaleEvent | undefined;
    for (const block of blocks) {
      let lastSeq = 0;
      for (let seq = Math.max(block.first, this.#after + 1); seq <= block.last && !this.dropped; seq++) {
        const entry = block.entry(seq);
        if (entry.runId !== runId) continue;
        this.#events++;
        lastSeq = seq;
        if (!tellsDetails(entry.type)) continue;
        this.#snapshot = step(this.#snapshot, block.event(seq));
        if (performance.now() - since < SLICE_MS) continue;
        this.#forget();
        await new Promise((resolve) => setImmediate(resolve));
        step = asOneChange(reduce);
        since = performance.now();
      }
      if (lastSeq > 0) last = block.event(lastSeq);
    }
    this.#lastAt = last?.time ?? this.#lastAt;
    this.#after = blocks.at(-1)?.last ?? this.#after;
    this.#forget();
  }

  #details(): RunDetails {
    const details = { ...detailsOf(this.#snapshot), errors: this.#errors };
    return this.#lastAt === undefined ? details : { ...details, lastAt: this.#lastAt };
  }

  /** Lets go of what neither a list nor the next events need: texts, results, what was counted. */
  #forget(): void {
    const { runId, threadId, seq, plan, steps, agents, errors, cost } = this.#snapshot;
    const { metadata, input } = this.#snapshot;
    const [title] = titlesOf(metadata ? { metadata } : {});
    const [asked] = titlesOf({ input });
    this.#errors += errors.length;
    this.#snapshot = {
      ...emptySnapshot(runId, threadId),
      seq,
      ...(title !== undefined && { metadata: { title } }),
      ...(asked !== undefined && { input: asked }),
      ...(cost && { cost: costOf(cost) }),
      ...(plan && { plan: { stepIds: plan.stepIds } }),
      steps: steps.map(({ id, name, status, startSeq = 0 }) => ({ id, name: short(name), status, startSeq })),
      agents: agents.map(({ id, status, startSeq }) => ({ id, name: '', path: id, status, startSeq, startedAt: '' })),
    };
  }
}

/** Most are short already, and there may be thousands of them in each slice. */
const short = (name: string): string => (name.length > 120 ? oneLine(name) : name);
