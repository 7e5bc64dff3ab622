import type { Log, RunRecord } from '../log/index.ts';
import { type Block, encodeEvent, parseDraft, randomId, TelltaleError, type TelltaleEvent } from '../protocol/index.ts';
import { Spending } from './budget.ts';
import { eventContext } from './event-context.ts';

/** A run's budget, and how far its events have been read. */
interface Watched {
  readonly spending: Spending;
  position: number;
}

/** Told of a command that was written. */
export type OnAsked = (runId: string, commandId: string) => void;

/** So many open runs are remembered; others are read from their start again. */
const REMEMBERED = 10_000;

/**
 * The budgets of runs that others execute. Nothing is kept but what the log says: after each append its events are read
 * on and folded. What a server does not know of a run, such as after its restart, it reads from the run's start.
 */
export class RemoteBudgets {
  readonly #log: Log;
  readonly #onAsked: OnAsked;
  readonly #watched = new Map<string, Promise<Watched | undefined>>();
  readonly #looking = new Map<string, Promise<void>>();

  constructor(log: Log, onAsked: OnAsked) {
    this.#log = log;
    this.#onAsked = onAsked;
  }

  /** Warns, and asks the producer to stop where a maximum is used up. Resolves when that is in the log. */
  look(run: RunRecord): Promise<void> {
    const { runId } = run;
    const before = this.#looking.get(runId)?.catch(() => undefined) ?? Promise.resolve();
    const looking = before.then(() => this.#look(run));
    this.#looking.set(runId, looking);
    return looking.finally(() => {
      if (this.#looking.get(runId) === looking) this.#looking.delete(runId);
    });
  }

  forget(runId: string): void {
    this.#watched.delete(runId);
  }

  async #look(run: RunRecord): Promise<void> {
    const { runId } = run;
    let opening = this.#watched.get(runId);
    if (!opening) {
      for (const oldest of this.#watched.keys()) {
        if (this.#watched.size < REMEMBERED) break;
        this.#watched.delete(oldest);
      }
      opening = this.#begin(run);
      this.#watched.set(runId, opening);
      opening.catch(() => this.#watched.delete(runId));
    }
    const watched = await opening;
    if (!watched) return;
    await this.#readOn(run, watched);
    for (const { type, data } of watched.spending.news()) {
      await this.#say(run, { type, data }, `${type}:${'limit' in data ? data.limit : data.error.code}`);
    }
    for (const { limit, used, max } of watched.spending.uses) {
      // Nobody holds a remote tool call back: the one that goes beyond the maximum is seen when it is told.
      if (used === undefined || (limit === 'toolCalls' ? used <= max : used < max)) continue;
      await this.#say(
        run,
        { type: 'budget.exceeded', data: { limit, used, max, decision: 'stop' } },
        'budget.exceeded',
      );
      const reason = `The budget is used up: ${limit}, ${used} of ${max}.`;
      const command = { command: 'cancel', commandId: randomId(16), by: 'budget', reason } as const;
      const isNew = await this.#say(run, { type: 'control.requested', data: command }, 'budget.cancel');
      if (isNew) this.#onAsked(runId, command.commandId);
      return;
    }
  }

  /** The server wrote it directly behind the run's start. */
  async #begin({ runId, threadId, first }: RunRecord): Promise<Watched | undefined> {
    const block = (await this.#log.read(threadId, first, 1)).blocks[0];
    if (block?.first !== first + 1) return undefined;
    const { type, runId: owner } = block.entry(first + 1);
    if (type !== 'budget.set' || owner !== runId) return undefined;
    return { spending: new Spending(), position: first };
  }

  async #readOn({ runId, threadId }: RunRecord, watched: Watched): Promise<void> {
    for (;;) {
      const { blocks } = await this.#log.read(threadId, watched.position);
      if (blocks.length === 0) return;
      for (const block of blocks) {
        for (const event of eventsOf(block, runId, watched.position)) {
          // What the producer says of its budget does not change what the server has set.
          if (event.type !== 'budget.set' || !watched.spending.snapshot.budget) watched.spending.hear(event);
        }
        watched.position = block.last;
      }
    }
  }

  /** Once, however many servers and restarts see the same: false where it was said before. */
  async #say(run: RunRecord, event: { type: string; data: object }, key: string): Promise<boolean> {
    const draft = parseDraft(event);
    try {
      await this.#log.append(run.threadId, [encodeEvent(draft, eventContext(run))], {
        runId: run.runId,
        once: `budget:${run.runId}:${key}`,
      });
      return true;
    } catch (error) {
      if (TelltaleError.from(error).code !== 'already_decided') throw error;
      return false;
    }
  }
}

function* eventsOf(block: Block, runId: string, after: number): Generator<TelltaleEvent> {
  for (let seq = Math.max(block.first, after + 1); seq <= block.last; seq++) {
    if (block.entry(seq).runId === runId) yield block.event(seq);
  }
}
