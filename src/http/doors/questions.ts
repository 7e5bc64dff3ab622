/**
 * Which questions have not been answered to those who asked them. A front end that has lost its answer asks again, in the
 * same words and without an id: that is to find the run under way and to start no second one. Only what was delivered is
 * remembered, in this process, as no log can know it; runs that are executed here end with it, too.
 */
import type { Log } from '../../log/index.ts';
import { isEnded, randomId, TelltaleError } from '../../protocol/index.ts';
import type { Started } from '../../runs/index.ts';

/** Of an answer that nobody fetches, after its end. A front end tries again 3, 6 and 9 s after one another. */
const KEPT_MS = 60_000;
/** So long after a failure was heard, the tries that follow by themselves are not the person's. */
const TRIES_MS = 30_000;
const MAX_QUESTIONS = 10_000;

interface Question {
  /** Starting is safe to repeat, also where it is not known whether it went well. */
  readonly idempotencyKey: string;
  started?: Promise<Started>;
  /** When its failure was heard, in milliseconds since 1970. */
  heardAt?: number;
}

export class Questions {
  readonly #log: Log;
  readonly #questions = new Map<string, Question>();

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * The run that answers a question: one that was started by it before and is undelivered, or one that `start` starts.
   * `undefined`: its failure was heard just now, and this is no new question.
   *
   * @param key who asks, and what.
   * @throws what `start` does.
   */
  async ask(key: string, start: (idempotencyKey: string) => Promise<Started>): Promise<Started | undefined> {
    const known = this.#questions.get(key);
    if (known && (await this.#isPast(known)) && this.#questions.get(key) === known) this.#questions.delete(key);
    const question = this.#questions.get(key) ?? newQuestion();
    if (question.heardAt !== undefined) return undefined;
    this.#remember(key, question);
    question.started ??= start(question.idempotencyKey).catch((error) => {
      delete question.started;
      // Where it is not known whether the run began, the same question finds out.
      if (!TelltaleError.from(error).retryable) this.#questions.delete(key);
      throw error;
    });
    return question.started;
  }

  /** A stream of its run came to its end. The same words are a new question from now on, if the run has ended. */
  async sent(key: string, runId: string): Promise<void> {
    const question = this.#questions.get(key);
    const isOver = (await runIdOf(question)) === runId && (await this.#hasEnded(runId));
    if (isOver && this.#questions.get(key) === question) this.#questions.delete(key);
  }

  /** The end was heard, and it was a failure: a front end that takes it for a broken connection tries again now. */
  async heardFailure(key: string, runId: string): Promise<void> {
    const question = this.#questions.get(key) ?? newQuestion();
    // The same words may be under way anew.
    if (((await runIdOf(question)) ?? runId) === runId) this.#remember(key, { ...question, heardAt: Date.now() });
  }

  async #isPast(question: Question): Promise<boolean> {
    if (question.heardAt !== undefined) return Date.now() - question.heardAt > TRIES_MS;
    const runId = await runIdOf(question);
    if (runId === undefined) return false;
    const run = await this.#log.runs.get(runId).catch(unlessDeleted);
    return !run || (run.endedAt !== undefined && Date.now() - Date.parse(run.endedAt) > KEPT_MS);
  }

  async #hasEnded(runId: string): Promise<boolean> {
    const run = await this.#log.runs.get(runId).catch(unlessDeleted);
    return !run || isEnded(run.status);
  }

  /** The oldest make room. */
  #remember(key: string, question: Question): void {
    this.#questions.delete(key);
    this.#questions.set(key, question);
    const [oldest] = this.#questions.keys();
    if (this.#questions.size > MAX_QUESTIONS) this.#questions.delete(oldest!);
  }
}

const newQuestion = (): Question => ({ idempotencyKey: `chat-${randomId(24)}` });

const runIdOf = async (question: Question | undefined): Promise<string | undefined> =>
  (await question?.started?.catch(() => undefined))?.runId;

function unlessDeleted(error: unknown): undefined {
  if (TelltaleError.from(error).code !== 'run_deleted') throw error;
}
