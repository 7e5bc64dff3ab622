import { type Followed, follow } from '../client/index.ts';
import { isKnown, type RunSnapshot, type TelltaleEvent } from '../protocol/index.ts';
import { howToAnswer } from './answer.ts';
import { duration } from './phrases.ts';
import { plain, plainJson } from './plain.ts';
import { Screen } from './screen.ts';
import { Timeline } from './timeline.ts';
import { fetchAsCaller } from './token.ts';

/** Shows a stream on stdout, from its beginning to its end. What is said about the connection never mixes with a pipe. */
export class Watch {
  readonly #screen = new Screen(process.stdout);
  readonly #timeline = new Timeline();
  readonly #json: boolean;
  #last = 0;
  #lost = false;
  /** What is shown happens now. */
  #live = false;
  /** Questions of which nobody was told how to answer them: in history most have been answered. */
  readonly #asked: { readonly runId: string; readonly approvalId: string }[] = [];

  constructor(json = false) {
    this.#json = json;
  }

  /** Resolves when the stream has ended, or `signal` was aborted. @throws {TelltaleError} what `follow` throws. */
  async show(url: string, signal: AbortSignal): Promise<void> {
    for await (const followed of follow(url, { signal, fetch: fetchAsCaller })) this.#take(followed);
  }

  snapshot(runId: string): RunSnapshot | undefined {
    return this.#timeline.snapshot(runId);
  }

  /** Something about the watching itself. */
  notice(text: string): void {
    if (process.stdout.isTTY && !this.#json) this.#screen.line([`* ${text}`, 'yellow']);
    else process.stderr.write(`* ${plain(text)}\n`);
  }

  #show(event: TelltaleEvent): void {
    for (const output of this.#timeline.add(event)) this.#screen.show(output);
    if (!isKnown(event) || event.type !== 'approval.requested') return;
    this.#asked.push({ runId: event.runId, approvalId: event.data.approvalId });
    if (this.#live) this.#tellHowToAnswer();
  }

  /** Under what waits for an answer now: how to give one. */
  #tellHowToAnswer(): void {
    for (const { runId, approvalId } of this.#asked.splice(0)) {
      const question = this.snapshot(runId)?.approvals.find(({ id }) => id === approvalId);
      if (question?.status === 'requested') this.notice(howToAnswer(runId, question));
    }
  }

  #take(it: Followed): void {
    switch (it.kind) {
      case 'event':
        this.#last = it.event.seq;
        if (this.#json) process.stdout.write(`${plainJson(it.event)}\n`);
        else this.#show(it.event);
        return;
      case 'caught-up':
        this.#live = true;
        this.#tellHowToAnswer();
        return;
      case 'reset':
        this.#timeline.reset();
        if (this.#json) process.stdout.write(`${plainJson({ type: 'stream.reset', data: it.reset })}\n`);
        this.notice(
          `The log lost its way (${it.reset.reason}): what was shown after event ${it.reset.shared} is void.`,
        );
        return;
      case 'connected':
        if (this.#lost) this.notice(`Connected again; going on after event ${this.#last}.`);
        this.#lost = false;
        return;
      case 'disconnected':
        this.#lost = true;
        this.#live = false;
        // Said at once, then less and less often.
        if (Number.isInteger(Math.log2(it.attempt))) {
          const when = `in ${duration(it.retryMs)} (attempt ${it.attempt})`;
          this.notice(`${it.error.message} Trying again ${when}; what happens meanwhile is in the log.`);
        }
    }
  }
}
