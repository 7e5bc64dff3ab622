import type { RunSnapshot, RunStatus } from '../protocol/index.ts';
import type { ConnectionState } from './connection-state.ts';
import type { LogContent } from './log-content.ts';
import { LogStore, type ReadPage } from './log-store.ts';
import { emptyView, type LogView } from './log-view.ts';
import type { About, AnswerOutcome, CommandOutcome, InputOutcome, Requests } from './requests.ts';
import type { Sink, Source } from './source.ts';
import type { StoreOptions } from './store.ts';

/** What a run's store shows. Two axes, always: `status` is the run's, `connection` ours. */
export interface RunView extends LogView<RunSnapshot> {
  /** `pending`: nothing is known of it yet. */
  readonly status: RunStatus | 'pending';
}

/** Who answers, and what they say to it. */
export interface AboutAnswer {
  readonly by?: string;
  readonly comment?: string;
}

/** One run, live: `client.run(runId)`. */
export class Run extends LogStore<RunSnapshot, RunView> {
  readonly runId: string;
  readonly #tell: Requests['tell'];

  constructor(
    runId: string,
    tell: Requests['tell'],
    initial: RunSnapshot | undefined,
    load: () => Promise<LogContent<RunSnapshot, RunView>>,
    connect: (sink: Sink) => Source,
    page: ReadPage,
    options: StoreOptions,
  ) {
    const before = (state: ConnectionState): RunView => ({
      ...emptyView(state, initial, initial?.seq),
      status: initial?.status ?? 'pending',
    });
    super(before, load, connect, page, options);
    this.runId = runId;
    this.#tell = tell;
  }

  /**
   * Asks for the run to be cancelled: an event in its log, which its executor follows. Leaving a run never cancels it.
   * As all that is said to a run, it is sent again where no answer comes, under the key that makes all attempts one.
   *
   * @throws {TelltaleError} what the server says; `unreachable` after several attempts.
   */
  cancel(about?: About, idempotencyKey?: string): Promise<CommandOutcome> {
    return this.#say(['cancel'], about, idempotencyKey);
  }

  /** Asks for the run to be held before its next call of a model or a tool. */
  pause(about?: About, idempotencyKey?: string): Promise<CommandOutcome> {
    return this.#say(['pause'], about, idempotencyKey);
  }

  /** Lets a paused run go on; takes back a pause that is not followed yet. */
  resume(about?: About, idempotencyKey?: string): Promise<CommandOutcome> {
    return this.#say(['resume'], about, idempotencyKey);
  }

  /**
   * Answers a question of the run with one of its options. The first answer counts.
   *
   * @throws {TelltaleError} `already_decided`, with `decision` and `by`; `approval_expired`.
   */
  answer(approvalId: string, decision: string, about?: AboutAnswer, idempotencyKey?: string): Promise<AnswerOutcome> {
    return this.#say(['approvals', approvalId], { decision, ...about }, idempotencyKey);
  }

  /** Answers `approve`, an option of every question that names none of its own. */
  approve(approvalId: string, about?: AboutAnswer, idempotencyKey?: string): Promise<AnswerOutcome> {
    return this.answer(approvalId, 'approve', about, idempotencyKey);
  }

  /** Answers `deny`. */
  deny(approvalId: string, about?: AboutAnswer, idempotencyKey?: string): Promise<AnswerOutcome> {
    return this.answer(approvalId, 'deny', about, idempotencyKey);
  }

  /** Says something to the run while it runs: any JSON value. */
  input(input: unknown, about?: Pick<About, 'by'>, idempotencyKey?: string): Promise<InputOutcome> {
    return this.#say(['input'], { input, ...about }, idempotencyKey);
  }

  #say<Outcome>(path: readonly string[], body?: object, key?: string): Promise<Outcome> {
    return this.#tell(this.runId, path, body, key) as Promise<Outcome>;
  }
}
