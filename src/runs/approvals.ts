import type { Log, RunRecord } from '../log/index.ts';
import {
  type EventData,
  encodeEvent,
  type KnownEvent,
  type Limits,
  parseDraft,
  TelltaleError,
} from '../protocol/index.ts';
import { digestOf } from './digest.ts';
import { eventContext } from './event-context.ts';
import { answerKey, type Expiries, isOver } from './expiries.ts';
import { findEvent } from './find-event.ts';
import { findRun } from './find-run.ts';
import { idOfKey } from './say-once.ts';

/** What may be answered where the question does not say. The first is what "yes" means. */
export const DEFAULT_OPTIONS: readonly string[] = ['approve', 'deny'];

/** An answer to what a run asked. */
export interface AnswerRequest {
  /** One of the question's options. */
  readonly decision: string;
  readonly comment?: string;
  readonly by?: string;
  /** Makes repeating safe: the same answer again is answered as the first time (1 to 255 visible ASCII characters). */
  readonly idempotencyKey?: string;
}

/** An answer that counts. */
export interface Answered {
  readonly approvalId: string;
  readonly status: 'resolved';
  readonly decision: string;
  readonly by?: string;
  /** Of its `approval.resolved`. */
  readonly seq: number;
  /** It had been given before under the same key. */
  readonly duplicate?: true;
}

type Question = KnownEvent & { readonly type: 'approval.requested' };
type Outcome = KnownEvent & { readonly type: 'approval.resolved' | 'approval.expired' };

/** Takes people's answers to what runs ask, here or elsewhere. The log decides which was the first, and tells the run. */
export class Approvals {
  readonly #log: Log;
  readonly #limits: Limits;
  readonly #expiries: Expiries;

  constructor(log: Log, limits: Limits, expiries: Expiries) {
    this.#log = log;
    this.#limits = limits;
    this.#expiries = expiries;
  }

  /**
   * Answers a question of a run. Resolves when the answer is durable, and the first.
   *
   * @throws {TelltaleError} `run_not_found`, `run_deleted`, `approval_not_found`; `invalid_request` for what is none of
   * the options; `already_decided` with what was decided, and by whom; `approval_expired`; `run_closed`;
   * `idempotency_conflict` for a key that another answer had; retryable ones of the log.
   *
   * @example
   * await runs.approvals.answer('r1', 'approval-1', { decision: 'deny', comment: 'Not on a Friday', by: 'ada' });
   */
  async answer(
    runId: string,
    approvalId: string,
    { idempotencyKey: key, decision, by, comment }: AnswerRequest,
  ): Promise<Answered> {
    const run = await findRun(this.#log, runId);
    const question = await this.#question(run, approvalId);
    checkDecision(question.data, decision);
    // Whoever reads the log has to see why a late answer was refused. Where there is an outcome, this changes nothing.
    if (isOver(question.data.expiresAt)) await this.#expiries.expire(run, approvalId);
    const said = { decision, ...(by !== undefined && { by }), ...(comment !== undefined && { comment }) };
    const draft = parseDraft({ type: 'approval.resolved', data: { approvalId, ...said } });
    const event = encodeEvent(draft, eventContext(run), this.#limits.eventBytes);
    try {
      const ack = await this.#log.append(run.threadId, [event], {
        runId,
        once: answerKey(runId, approvalId),
        ...(key !== undefined && { producer: producerOf(runId, key, draft.data) }),
      });
      this.#expiries.forget(runId, approvalId);
      const { last: seq, duplicate } = ack;
      const answered = { approvalId, status: 'resolved', decision, seq } as const;
      return { ...answered, ...(by !== undefined && { by }), ...(duplicate && { duplicate }) };
    } catch (error) {
      throw await this.#explain(TelltaleError.from(error), run, question);
    }
  }

  /** @throws {TelltaleError} `approval_not_found` */
  async #question(run: RunRecord, approvalId: string): Promise<Question> {
    const open = run.approvals?.find((it) => it.approvalId === approvalId);
    // One that is not open, or is older than the newest open ones, is looked for in all of the run.
    const stretch = open ? { after: open.seq - 1, through: open.seq } : { after: run.first - 1 };
    const isIt = ({ data }: Question) => data.approvalId === approvalId;
    const question = await findEvent<Question>(this.#log, run, ['approval.requested'], stretch, isIt);
    if (question) return question;
    throw new TelltaleError(
      'approval_not_found',
      `Run ${run.runId} has not asked ${JSON.stringify(approvalId.slice(0, 64))}. GET /v1/runs/${run.runId} shows what it has.`,
      { runId: run.runId },
    );
  }

  /** What came first, where something did. */
  async #explain(error: TelltaleError, run: RunRecord, { seq: asked, data }: Question): Promise<TelltaleError> {
    const { approvalId } = data;
    if (error.code === 'producer_conflict') {
      const detail = 'This Idempotency-Key was used for another answer. Send the same again, or take a new key.';
      return new TelltaleError('idempotency_conflict', detail, { runId: run.runId });
    }
    if (error.code !== 'already_decided') return error;
    const through = error.particulars.seq as number;
    // The number is that of the last event of its batch: a remote producer's may hold more behind it.
    const after = Math.max(asked, through - this.#limits.batchEvents);
    const types = ['approval.resolved', 'approval.expired'] as const;
    const isIt = (event: Outcome) => event.data.approvalId === approvalId;
    const outcome = await findEvent<Outcome>(this.#log, run, types, { after, through }, isIt);
    if (outcome?.type === 'approval.expired') return expired(outcome.data, outcome.seq);
    return alreadyDecided(approvalId, outcome?.data, outcome?.seq ?? through);
  }
}

function checkDecision(question: EventData<'approval.requested'>, decision: string): void {
  const options: readonly string[] = question.options ?? DEFAULT_OPTIONS;
  if (options.includes(decision)) return;
  const detail = `decision: ${JSON.stringify(decision.slice(0, 64))} is none of the options: ${options.map((it) => JSON.stringify(it)).join(', ')}.`;
  throw new TelltaleError('invalid_request', detail, { options });
}

function expired({ approvalId }: EventData<'approval.expired'>, seq: number): TelltaleError {
  const detail = `Nobody answered ${JSON.stringify(approvalId)} in time: it expired with event ${seq}. The run has gone on.`;
  return new TelltaleError('approval_expired', detail, { approvalId, seq });
}

function alreadyDecided(
  approvalId: string,
  decided: Partial<EventData<'approval.resolved'>> = {},
  seq: number,
): TelltaleError {
  const { decision, by, comment } = decided;
  const who = by === undefined ? '' : ` by ${by}`;
  const what = decision === undefined ? 'answered' : `answered ${JSON.stringify(decision)}`;
  return new TelltaleError('already_decided', `It was ${what}${who} before (event ${seq}). The first answer counts.`, {
    approvalId,
    seq,
    ...(decision !== undefined && { decision }),
    ...(by !== undefined && { by }),
    ...(comment !== undefined && { comment }),
  });
}

/**
 * A key makes its answer the only append of a producer: the log knows a repetition, also when the question or the run has
 * found its end. No client can have this name: theirs have no comma.
 */
const producerOf = (runId: string, key: string, answer: object) => ({
  id: `telltale,${idOfKey(runId, key)}`,
  epoch: 0,
  seq: 0,
  digest: digestOf(answer),
});
