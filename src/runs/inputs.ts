import type { Log } from '../log/index.ts';
import { type Limits, randomId, TelltaleError } from '../protocol/index.ts';
import { findRun } from './find-run.ts';
import { idOfKey, type SaidOnce, sayOnce } from './say-once.ts';

/** Something to say to a run. */
export interface InputRequest {
  /** Any JSON value. */
  readonly input: unknown;
  readonly by?: string;
  /** Makes repeating safe: one key is one input of this run (1 to 255 visible ASCII characters). */
  readonly idempotencyKey?: string;
}

/** It is in the log, as event `seq`. */
export interface InputReceived extends SaidOnce {
  readonly inputId: string;
}

/** The executor needs two events for the end of its run. */
const FOR_THE_END = 2;

/** Takes what people say to runs, here or elsewhere, whether or not the run listens. */
export class Inputs {
  readonly #log: Log;
  readonly #limits: Limits;

  constructor(log: Log, limits: Limits) {
    this.#log = log;
    this.#limits = limits;
  }

  /**
   * Says something to a run that has not ended; one that is queued finds it when it begins. Resolves when it is durable.
   *
   * @throws {TelltaleError} `run_not_found`, `run_deleted`, `run_closed`, `run_full`, `event_too_large`;
   * `idempotency_conflict` for a key that was used for something else; retryable ones of the log.
   *
   * @example
   * await runs.inputs.send('r1', { input: 'Only the last quarter, please', by: 'ada' });
   */
  async send(runId: string, { idempotencyKey: key, input, by }: InputRequest): Promise<InputReceived> {
    const run = await findRun(this.#log, runId);
    if (run.last === undefined && run.events + FOR_THE_END >= this.#limits.runEvents) {
      const detail = `Run ${runId} has ${run.events} events, nearly all that a run may have. It takes no more input.`;
      throw new TelltaleError('run_full', detail, { events: run.events, maxEvents: this.#limits.runEvents });
    }
    const inputId = key === undefined ? randomId(16) : idOfKey(runId, key);
    const data = { inputId, input, ...(by !== undefined && { by }) };
    return { inputId, ...(await sayOnce(this.#log, this.#limits, run, { type: 'input.received', data }, inputId)) };
  }
}
