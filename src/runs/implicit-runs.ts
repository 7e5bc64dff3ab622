import { createHash } from 'node:crypto';
import type { Log, ProducerKey, RunRecord } from '../log/index.ts';
import { checkId, isEnded, type Limits, TelltaleError } from '../protocol/index.ts';
import type { Admit } from './admit.ts';
import { checkBatch } from './remote-append.ts';
import type { Appended } from './remote-runs.ts';
import type { Runs } from './runs.ts';

/** What is appended by somebody who knows a thread and no run of it. */
export interface ThreadAppend {
  readonly events: readonly unknown[];
  /** Of the run that is opened where none is open. */
  readonly agent?: string;
  /** The same, in seconds. */
  readonly lease?: number;
  readonly producer?: Omit<ProducerKey, 'digest'> | undefined;
  /** Of the run that is opened. */
  readonly owner?: string;
  readonly tenant?: string;
  /** Decides about a thread in which a run is opened, as in `Runs.start`. */
  readonly admit?: Admit | undefined;
}

export interface ThreadAppended extends Appended {
  /** The implicit run that the events are in. */
  readonly runId: string;
}

/** So many threads are remembered; of others the implicit run is looked for from its first one. */
const REMEMBERED = 10_000;

/**
 * The implicit runs of threads: one is open at a time, the next is opened when something comes after its end. The id of
 * each follows from the one before it, the first from the thread's, so that all servers open the same one, once.
 */
export class ImplicitRuns {
  readonly #log: Log;
  readonly #runs: Runs;
  readonly #limits: Limits;
  readonly #latest = new Map<string, string>();
  /** By thread, the end of the latest append that was to come in its turn. */
  readonly #turns = new Map<string, Promise<void>>();

  constructor(log: Log, runs: Runs, limits: Limits) {
    this.#log = log;
    this.#runs = runs;
    this.#limits = limits;
  }

  /**
   * Appends to the thread's open implicit run, or opens one for it.
   *
   * @throws {TelltaleError} `invalid_request` for a thread id that is none, and what `Runs.append` refuses. The numbers
   * of a producer count within one run: `producer_gap` with `expected: 0` says that a new one has begun.
   */
  async append(threadId: string, { events, producer, admit, ...about }: ThreadAppend): Promise<ThreadAppended> {
    checkId(threadId, 'threadId');
    let runId = this.#latest.get(threadId) ?? idAfter(threadId);
    for (;;) {
      const next = idAfter(runId);
      const run = await this.#find(runId);
      if (!run) {
        checkBatch(events, unopened(threadId, runId), this.#limits);
        await this.#open({ agent: 'session', ...about, mode: 'remote', threadId, runId }, admit);
        // Once more: somebody else may have opened and ended it, or another run has its id.
        continue;
      }
      // One that has ended may have taken these very events, and its end, before: a repetition is answered as then.
      const isLast = run !== 'deleted' && (!isEnded(run.status) || (producer && !(await this.#find(next))));
      if (isLast && run.threadId === threadId) {
        this.#remember(threadId, runId);
        // Somebody else may have begun the thread while the body of this request was still coming in.
        await admit?.(threadId, runId);
        try {
          return { runId, ...(await this.#runs.remote.append(runId, events, producer)) };
        } catch (error) {
          if (!['run_closed', 'run_deleted'].includes(TelltaleError.from(error).code)) throw error;
        }
      }
      runId = next;
    }
  }

  /** The same for callers that do not wait: what is appended to one thread is stored in the order of the calls. */
  appendInTurn(threadId: string, request: ThreadAppend): Promise<ThreadAppended> {
    const appended = (this.#turns.get(threadId) ?? Promise.resolve()).then(() => this.append(threadId, request));
    const end = (): void => {
      if (this.#turns.get(threadId) === turn) this.#turns.delete(threadId);
    };
    const turn: Promise<void> = appended.then(end, end);
    this.#turns.set(threadId, turn);
    return appended;
  }

  async #find(runId: string): Promise<RunRecord | 'deleted' | undefined> {
    try {
      return await this.#log.runs.get(runId);
    } catch (error) {
      if (TelltaleError.from(error).code === 'run_deleted') return 'deleted';
      throw error;
    }
  }

  async #open(...request: Parameters<Runs['start']>): Promise<void> {
    try {
      await this.#runs.start(...request);
    } catch (error) {
      if (!['run_exists', 'run_deleted'].includes(TelltaleError.from(error).code)) throw error;
    }
  }

  #remember(threadId: string, runId: string): void {
    this.#latest.delete(threadId);
    this.#latest.set(threadId, runId);
    if (this.#latest.size > REMEMBERED) this.#latest.delete(this.#latest.keys().next().value as string);
  }
}

const idAfter = (id: string): string => `s-${createHash('sha256').update(id).digest('hex').slice(0, 30)}`;

/** As such a run will be when it is open: what it would refuse shall not open it. */
const unopened = (threadId: string, runId: string) => ({
  threadId,
  runId,
  agent: '',
  createdAt: '',
  status: 'running' as const,
  first: 1,
  events: 1,
  fence: 0,
});
