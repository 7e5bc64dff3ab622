import { foldRun, type Log, type RunRecord } from '../log/index.ts';
import { type EventData, isEnded, type Limits, type RunStatus, randomId, TelltaleError } from '../protocol/index.ts';
import { Deadlines } from './deadlines.ts';
import { findRun } from './find-run.ts';
import { idOfKey, sayOnce } from './say-once.ts';

type CommandName = EventData<'control.requested'>['command'];

/** What a run is asked for, by whom and why. */
export interface CommandRequest {
  readonly command: CommandName;
  readonly by?: string;
  readonly reason?: string;
  /** Makes repeating safe: one key is one command of this run (1 to 255 visible ASCII characters). */
  readonly idempotencyKey?: string;
}

/** How a command was received. `commandId` and `seq` are absent where there was nothing left to do. */
export interface CommandAnswer {
  /** Of the run, now: the command is followed later, or not. */
  readonly status: RunStatus;
  readonly commandId?: string;
  /** Of its `control.requested`. */
  readonly seq?: number;
  /** It was asked for before under the same key. */
  readonly duplicate?: true;
}

/**
 * What people ask of runs: cancel, pause, resume. A command is an event; the executor, on whatever node, or the remote
 * producer follows it and answers with another: `run.cancelled`, `run.paused`, `run.resumed` or `control.refused`. Of one
 * that nothing followed in time `control.overdue` tells.
 */
export class Commands {
  readonly #log: Log;
  readonly #limits: Limits;
  readonly #deadlines: Deadlines;

  /** @param timeoutMs milliseconds after which a command that was neither applied nor refused is overdue. */
  constructor(log: Log, limits: Limits, timeoutMs: number) {
    this.#log = log;
    this.#limits = limits;
    this.#deadlines = new Deadlines(log, timeoutMs);
  }

  /**
   * Resolves when the command is durable. Where there is nothing left to do the answer is the status alone, and nothing is
   * written: the run has ended, or is paused already (`pause`), or neither paused nor asked to be (`resume`).
   *
   * @throws {TelltaleError} `run_not_found`, `run_deleted`; `command_refused` for pausing or resuming a run that waits for
   * its turn; `invalid_request`, `idempotency_conflict` for the key; retryable ones of the log: then it is not known
   * whether the command was stored.
   *
   * @example
   * await runs.commands.ask('r1', { command: 'pause', by: 'ann', reason: 'Let me look at this first' });
   */
  async ask(runId: string, { idempotencyKey: key, command, by, reason }: CommandRequest): Promise<CommandAnswer> {
    const run = await findRun(this.#log, runId);
    const commandId = key === undefined ? randomId(16) : idOfKey(runId, key);
    if (isDone(run, command) && (key === undefined || !(await this.#wasAsked(run, commandId)))) {
      return { status: run.status };
    }
    const asked = { command, commandId, ...(by !== undefined && { by }), ...(reason !== undefined && { reason }) };
    // Whatever comes of the append: where its answer is lost, the command is in the log all the same.
    this.#deadlines.expect(runId, commandId);
    try {
      const said = await sayOnce(this.#log, this.#limits, run, { type: 'control.requested', data: asked }, commandId);
      return { commandId, status: run.status, ...said };
    } catch (error) {
      if (TelltaleError.from(error).code !== 'run_closed') throw error;
      return { status: (await findRun(this.#log, runId)).status };
    }
  }

  /** The command is in the log since just now: where nothing follows it in time, that is told. */
  expect(runId: string, commandId: string): void {
    this.#deadlines.expect(runId, commandId);
  }

  /** Takes over the deadlines that an earlier process did not live to see. Never rejects. */
  recover(): Promise<void> {
    return this.#deadlines.recover();
  }

  /** Watches no deadline any more. */
  close(): void {
    this.#deadlines.close();
  }

  /** A repetition is answered as the first time, although what it asked for is done by now. */
  async #wasAsked(run: RunRecord, commandId: string): Promise<boolean> {
    return (await foldRun(this.#log, run)).commands.some(({ id }) => id === commandId);
  }
}

/**
 * Whether the run is as it is to be, as far as its record says, and nothing that was asked for will change that.
 *
 * @throws {TelltaleError} `command_refused`
 */
function isDone({ runId, status, commands = [] }: RunRecord, command: CommandName): boolean {
  if (isEnded(status)) return true;
  if (command === 'cancel') return false;
  if (status === 'queued') {
    const detail = `Run ${runId} has not begun: there is nothing to ${command}. Cancel it, or wait for its turn.`;
    throw new TelltaleError('command_refused', detail, { runId, status });
  }
  const changes = commands.some((it) => it.command !== 'cancel');
  return !changes && status === (command === 'pause' ? 'paused' : 'running');
}
