import type { Log } from '../log/index.ts';
import type { AgentRef, ApprovalAnswer, ApprovalRequest } from '../protocol/index.ts';
import { type Heard, InputFeed } from './input-feed.ts';
import { Questions, type QuestionsOptions } from './questions.ts';
import type { Said } from './run-watch.ts';

/** What the agent of one run asks people and hears from them. Both ways lead through the log alone. */
export class People {
  readonly #questions: Questions;
  readonly #feed: InputFeed;

  constructor({ log, ...options }: QuestionsOptions & { readonly log: Log }) {
    this.#questions = new Questions(options);
    this.#feed = new InputFeed(log, options);
    options.signal.addEventListener('abort', () => this.#feed.end(), { once: true });
  }

  /** @see Questions.ask */
  ask(request: ApprovalRequest, nextId: () => string, agent: AgentRef | undefined): Promise<ApprovalAnswer> {
    return this.#questions.ask(request, nextId, agent);
  }

  inputs(): Heard {
    return this.#feed.inputs();
  }

  hear(said: Said): void {
    this.#questions.hear(said);
    this.#feed.hear(said);
  }

  /** The run has ended. */
  close(): void {
    this.#questions.close();
    this.#feed.end();
  }
}
