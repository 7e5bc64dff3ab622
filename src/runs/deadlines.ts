import type { Log, OpenCommand, RunRecord } from '../log/index.ts';
import { encodeEvent } from '../protocol/index.ts';
import { eventContext } from './event-context.ts';
import { findRun } from './find-run.ts';
import { isAway } from './is-away.ts';
import { openRemoteRuns } from './open-remote-runs.ts';

/** Milliseconds before a log that is away is asked again. */
const RETRY_MS = 1_000;

/**
 * Tells of commands that nothing has followed in time (`control.overdue`), each once: this server of those that it took,
 * and of those of remote runs whose deadline an earlier process did not live to see. That is never final.
 */
export class Deadlines {
  readonly #log: Log;
  readonly #timeoutMs: number;
  readonly #timers = new Set<NodeJS.Timeout>();
  #closed = false;

  constructor(log: Log, timeoutMs: number) {
    this.#log = log;
    this.#timeoutMs = timeoutMs;
  }

  /** The command is in the log since just now, or about to be. */
  expect(runId: string, commandId: string, dueMs: number = this.#timeoutMs): void {
    this.#after(dueMs, () => this.#look(runId, commandId));
  }

  /** Looks for what an earlier process took. Runs of its own executors have ended with it. Never rejects. */
  async recover(): Promise<void> {
    try {
      for await (const run of openRemoteRuns(this.#log)) {
        if (this.#closed) return;
        await this.#expectAgain(run);
      }
    } catch (error) {
      // What is expected twice is told once.
      if (isAway(error)) this.#after(RETRY_MS, () => this.recover());
    }
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  async #expectAgain(run: RunRecord): Promise<void> {
    for (const command of run.commands ?? []) {
      const due = (await this.#askedAt(run, command)) + this.#timeoutMs - Date.now();
      // A clock that was set back meanwhile lets nobody wait longer than usual.
      this.expect(run.runId, command.commandId, Math.min(Math.max(due, 0), this.#timeoutMs));
    }
  }

  /** Milliseconds since 1970; long ago where it was trimmed. */
  async #askedAt({ threadId }: RunRecord, { seq }: OpenCommand): Promise<number> {
    const block = (await this.#log.read(threadId, seq - 1, 1)).blocks[0];
    return block?.first === seq ? Date.parse(block.event(seq).time) : 0;
  }

  async #look(runId: string, commandId: string): Promise<void> {
    try {
      const run = await findRun(this.#log, runId);
      if (!run.commands?.some((it) => it.commandId === commandId)) return;
      const event = encodeEvent({ type: 'control.overdue', data: { commandId } }, eventContext(run));
      await this.#log.append(run.threadId, [event], { runId, once: `overdue:${runId}:${commandId}` });
    } catch (error) {
      // Else the run has ended, or it was told by another server, or before an answer that got lost.
      if (isAway(error)) this.expect(runId, commandId, RETRY_MS);
    }
  }

  #after(milliseconds: number, then: () => Promise<void>): void {
    if (this.#closed) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void then();
    }, milliseconds).unref();
    this.#timers.add(timer);
  }
}
