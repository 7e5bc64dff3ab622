import { setTimeout as sleep } from 'node:timers/promises';
import type { Log, RunRecord } from '../log/index.ts';
import { type EventData, encodeEvent, TelltaleError } from '../protocol/index.ts';
import { eventContext } from './event-context.ts';
import { isAway } from './is-away.ts';
import { openRemoteRuns } from './open-remote-runs.ts';

type Run = Pick<RunRecord, 'threadId' | 'runId' | 'parentRunId'>;
type Question = Pick<EventData<'approval.requested'>, 'approvalId' | 'expiresAt'>;

/** How often the clock is looked at: it may be set, and timers stand still while the machine sleeps. */
const LOOK_MS = 60_000;
const RETRY_MS = 200;

/**
 * The key under which the first answer to a question, or its expiry, is stored: whatever comes second is refused, whoever
 * sends it, and on whatever node. Keys are the thread's, question ids the run's.
 */
export const answerKey = (runId: string, approvalId: string): string => `approval:${runId}:${approvalId}`;

/** True when the time to answer is over, by the clock of this machine. */
export const isOver = (expiresAt: string | undefined): boolean =>
  expiresAt !== undefined && Date.now() >= Date.parse(expiresAt);

/**
 * Sees to it that questions expire: when the time of one is over, `approval.expired` is written, unless somebody has
 * answered. Who watches a question does not matter, nor how many do: the log takes one outcome.
 */
export class Expiries {
  readonly #log: Log;
  /** By run and question. */
  readonly #timers = new Map<string, Map<string, NodeJS.Timeout>>();
  readonly #closed = new AbortController();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Watches a question that is in the log. One without an end to its time is left alone. */
  watch({ threadId, runId, parentRunId }: Run, { approvalId, expiresAt }: Question): void {
    if (expiresAt === undefined || this.#closed.signal.aborted || this.#isWatched(runId, approvalId)) return;
    this.#arm({ threadId, runId, ...(parentRunId !== undefined && { parentRunId }) }, approvalId, expiresAt);
  }

  /** There is an outcome. */
  forget(runId: string, approvalId: string): void {
    const timers = this.#timers.get(runId);
    clearTimeout(timers?.get(approvalId));
    timers?.delete(approvalId);
    if (timers?.size === 0) this.#timers.delete(runId);
  }

  /** The run has ended: that is the outcome of all that it has asked. */
  forgetAll(runId: string): void {
    for (const approvalId of [...(this.#timers.get(runId)?.keys() ?? [])]) this.forget(runId, approvalId);
  }

  /**
   * Writes the expiry of a question whose time is over. Where it has an outcome, or the run its end, nothing happens.
   *
   * @throws {TelltaleError} retryable ones of the log.
   */
  async expire(run: Run, approvalId: string): Promise<void> {
    const event = encodeEvent({ type: 'approval.expired', data: { approvalId } }, eventContext(run));
    const { threadId, runId } = run;
    try {
      await this.#log.append(threadId, [event], { runId, once: answerKey(runId, approvalId) });
    } catch (error) {
      if (TelltaleError.from(error).retryable) throw error;
    }
  }

  /**
   * Watches what open remote runs have asked, as far as their records tell. What executors asked ended with them. Never
   * rejects.
   */
  async recover(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      try {
        for await (const run of openRemoteRuns(this.#log)) {
          for (const question of run.approvals ?? []) this.watch(run, question);
        }
        return;
      } catch (error) {
        // What is watched twice expires once.
        if (!isAway(error)) return;
        await pause(signal);
      }
    }
  }

  close(): void {
    this.#closed.abort();
    for (const runId of [...this.#timers.keys()]) this.forgetAll(runId);
  }

  #isWatched(runId: string, approvalId: string): boolean {
    return this.#timers.get(runId)?.has(approvalId) ?? false;
  }

  #arm(run: Run, approvalId: string, expiresAt: string): void {
    const left = Math.max(0, Date.parse(expiresAt) - Date.now());
    const look = () => {
      if (!isOver(expiresAt)) this.#arm(run, approvalId, expiresAt);
      else void this.#see(run, approvalId);
    };
    const timers = this.#timers.get(run.runId) ?? new Map<string, NodeJS.Timeout>();
    this.#timers.set(run.runId, timers.set(approvalId, setTimeout(look, Math.min(left, LOOK_MS)).unref()));
  }

  /** Goes on trying while the log is away. */
  async #see(run: Run, approvalId: string): Promise<void> {
    const { signal } = this.#closed;
    while (this.#isWatched(run.runId, approvalId)) {
      try {
        await this.expire(run, approvalId);
        this.forget(run.runId, approvalId);
      } catch (error) {
        if (!isAway(error)) return this.forget(run.runId, approvalId);
        await pause(signal);
      }
    }
  }
}

const pause = (signal: AbortSignal): Promise<void> =>
  sleep(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
