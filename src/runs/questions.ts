import { z } from 'zod';
import { type AgentRef, type ApprovalAnswer, type ApprovalRequest, TelltaleError } from '../protocol/index.ts';
import { DEFAULT_OPTIONS } from './approvals.ts';
import type { Expiries } from './expiries.ts';
import type { Recorder } from './recorder.ts';
import type { Said } from './run-watch.ts';

export interface QuestionsOptions {
  readonly threadId: string;
  readonly runId: string;
  readonly signal: AbortSignal;
  readonly recorder: Recorder;
  readonly expiries: Expiries;
}

const YEAR_MS = 365 * 24 * 3600 * 1000;
const option = z.string().min(1).max(256);
const Request: z.ZodType<ApprovalRequest> = z.strictObject({
  prompt: z.string().min(1).max(16_384),
  toolCallId: z.string().min(1).max(256).exactOptional(),
  options: z
    .array(option)
    .min(1)
    .max(32)
    .refine((them) => new Set(them).size === them.length, 'must be different from each other')
    .exactOptional(),
  expiresIn: z.number().min(1, 'milliseconds, at least 1').max(YEAR_MS, 'milliseconds, at most a year').exactOptional(),
});

interface Waiting {
  /** What "yes" means. */
  readonly yes: string | undefined;
  readonly answer: PromiseWithResolvers<ApprovalAnswer>;
}

/** What the agent of one run has asked people, and waits to be answered. The log has both question and answer. */
export class Questions {
  readonly #options: QuestionsOptions;
  readonly #waiting = new Map<string, Waiting>();
  #closed = false;

  constructor(options: QuestionsOptions) {
    this.#options = options;
    const { signal } = options;
    signal.addEventListener('abort', () => this.#reject(signal.reason), { once: true });
  }

  /**
   * Asks, and waits for the outcome as the log tells it.
   *
   * @param nextId gives the question its id, once it is clear that it can be asked.
   * @throws {TelltaleError} `invalid_request`; `run_closed` where the run has ended; the abort reason of the run.
   */
  async ask(request: ApprovalRequest, nextId: () => string, agent: AgentRef | undefined): Promise<ApprovalAnswer> {
    const { prompt, toolCallId, options = DEFAULT_OPTIONS, expiresIn } = check(request);
    const { signal, recorder } = this.#options;
    signal.throwIfAborted();
    if (this.#closed) throw ended();
    const approvalId = nextId();
    const expiresAt = expiresIn === undefined ? undefined : new Date(Date.now() + expiresIn).toISOString();
    const answer = Promise.withResolvers<ApprovalAnswer>();
    this.#waiting.set(approvalId, { yes: options[0], answer });
    recorder.record('approval.requested', { approvalId, prompt, toolCallId, options, expiresAt }, agent);
    return answer.promise;
  }

  /** What the log says of questions, those included that the agent has emitted by itself. */
  hear(said: Said): void {
    const { expiries, runId } = this.#options;
    if (said.type === 'approval.requested') expiries.watch(said, said.data);
    if (said.type !== 'approval.resolved' && said.type !== 'approval.expired') return;
    const { approvalId } = said.data;
    expiries.forget(runId, approvalId);
    const waiting = this.#waiting.get(approvalId);
    this.#waiting.delete(approvalId);
    if (said.type === 'approval.expired') waiting?.answer.resolve({ approvalId, approved: false });
    else {
      const { decision, by, comment } = said.data;
      waiting?.answer.resolve({
        approvalId,
        approved: decision === waiting.yes,
        decision,
        ...(by !== undefined && { by }),
        ...(comment !== undefined && { comment }),
      });
    }
  }

  /** The run has ended: nobody is answered any more. */
  close(): void {
    this.#closed = true;
    this.#reject(ended());
    this.#options.expiries.forgetAll(this.#options.runId);
  }

  #reject(reason: unknown): void {
    for (const { answer } of this.#waiting.values()) answer.reject(reason);
    this.#waiting.clear();
  }
}

const ended = (): TelltaleError => new TelltaleError('run_closed', 'The run has ended: nobody can answer it any more.');

/** @throws {TelltaleError} `invalid_request`, naming the fields. */
function check(request: unknown): ApprovalRequest {
  const result = Request.safeParse(request);
  if (result.success) return result.data;
  const issues = result.error.issues.slice(0, 5).map((it) => `${['approve', ...it.path].join('.')}: ${it.message}`);
  throw new TelltaleError('invalid_request', issues.join('; '), { issues });
}
