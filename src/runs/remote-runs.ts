import type { Ack, Log, ProducerKey, RunOpening, RunRecord } from '../log/index.ts';
import { type EventData, type EventDraft, encodeEvent, type Limits, parseDraft, WARN_AT } from '../protocol/index.ts';
import { digestOf } from './digest.ts';
import { eventContext } from './event-context.ts';
import type { Expiries } from './expiries.ts';
import { findRun } from './find-run.ts';
import { openCommands } from './open-commands.ts';
import { nearlyFull } from './recorder.ts';
import { checkBatch } from './remote-append.ts';
import { type OnAsked, RemoteBudgets } from './remote-budgets.ts';
import { joinConsecutive, type RemoteLine, storeHalves } from './remote-lines.ts';

/** What a remote producer is answered. */
export interface Appended extends Ack {
  /** What the run was asked for and has not done yet, oldest first; absent where there is nothing. */
  readonly commands?: readonly EventData<'control.requested'>[];
}

interface RemoteOpening extends Pick<RunRecord, 'threadId' | 'runId'> {
  readonly budget?: EventData<'budget.set'> | undefined;
  /** As of `Log.append`. */
  readonly once?: string | undefined;
}

interface RemoteAppend {
  readonly drafts: readonly unknown[];
  readonly producer?: Omit<ProducerKey, 'digest'> | undefined;
  /** What an event is called in errors. */
  readonly nameOf?: (index: number) => string;
}

/** The runs that others execute: takes what their producers append. */
export class RemoteRuns {
  readonly #log: Log;
  readonly #limits: Limits;
  readonly #expiries: Expiries;
  /** Runs that were told they are nearly full. */
  readonly #warned = new Set<string>();
  readonly #budgets: RemoteBudgets;

  /** @param onAsked told of what the server itself asks of a producer. */
  constructor(log: Log, limits: Limits, expiries: Expiries, onAsked: OnAsked) {
    this.#log = log;
    this.#limits = limits;
    this.#expiries = expiries;
    this.#budgets = new RemoteBudgets(log, onAsked);
  }

  /**
   * Opens a run that a producer will fill; its budget stands directly behind its start.
   *
   * @throws {TelltaleError} what `Log.append` refuses; `event_too_large`.
   */
  open(
    { threadId, runId, budget, once }: RemoteOpening,
    data: EventData<'run.started'>,
    opens: RunOpening,
  ): Promise<Ack> {
    const context = eventContext({ threadId, runId });
    const drafts = [{ type: 'run.started', data }, ...(budget ? [{ type: 'budget.set', data: budget }] : [])];
    const events = drafts.map((draft) => encodeEvent(draft, context, this.#limits.eventBytes));
    return this.#log.append(threadId, events, { runId, opens, ...(once !== undefined && { once }) });
  }

  /**
   * Appends what a remote producer sends, all of it or nothing. With a producer key a repetition is safe.
   *
   * @throws {TelltaleError} `run_not_found`, what `checkBatch` refuses, and what `Log.append` refuses.
   */
  async append(runId: string, drafts: readonly unknown[], producer?: Omit<ProducerKey, 'digest'>): Promise<Appended> {
    return this.#answer(runId, await this.#appendTo(await findRun(this.#log, runId), { drafts, producer }));
  }

  /**
   * Appends lines of a remote producer: those before one that is refused are stored. Tells of consecutive numbers at
   * once. With a producer key each line is an append by itself, and `producer.seq` numbers the first, so that a
   * repetition may begin at any line and be cut anywhere; without, what can be stored together is one batch.
   *
   * @throws {TelltaleError} what `append` does, after what was stored was told.
   */
  async *appendLines(
    runId: string,
    lines: readonly RemoteLine[],
    producer?: Omit<ProducerKey, 'digest'>,
  ): AsyncGenerator<Appended> {
    const acks = producer ? this.#appendEach(runId, lines, producer) : this.#appendTogether(runId, lines);
    for await (const ack of acks) yield await this.#answer(runId, ack);
  }

  /** The run has ended. */
  forget(runId: string): void {
    this.#budgets.forget(runId);
    this.#warned.delete(runId);
    this.#expiries.forgetAll(runId);
  }

  #appendTogether(runId: string, lines: readonly RemoteLine[]): AsyncGenerator<Ack> {
    return storeHalves(lines, async (part) => {
      const drafts = part.map(({ draft }) => draft);
      return this.#appendTo(await findRun(this.#log, runId), {
        drafts,
        nameOf: (index) => `line ${part[index]?.number}`,
      });
    });
  }

  async *#appendEach(
    runId: string,
    lines: readonly RemoteLine[],
    producer: Omit<ProducerKey, 'digest'>,
  ): AsyncGenerator<Ack> {
    const run = await findRun(this.#log, runId);
    // Called in one go, before the first is answered: the log keeps this order and commits them together.
    const appends = lines.map(({ draft, number }, index) =>
      this.#appendTo(
        { ...run, events: run.events + index },
        { drafts: [draft], producer: { ...producer, seq: producer.seq + index }, nameOf: () => `line ${number}` },
      ),
    );
    yield* joinConsecutive(appends);
  }

  async #answer(runId: string, ack: Ack): Promise<Appended> {
    // The events are stored: that the log is away now is no reason to say otherwise. The next answer tells.
    const commands = await openCommands(this.#log, runId).catch(() => []);
    return { ...ack, ...(commands.length > 0 && { commands }) };
  }

  /** Calls the log before its first pause, so that calls in a row are stored in their order. */
  async #appendTo(run: RunRecord, { drafts, producer, nameOf }: RemoteAppend): Promise<Ack> {
    const { runId } = run;
    const { parsed, events, closes, once } = checkBatch(drafts, run, this.#limits, nameOf);
    const ack = await this.#log.append(run.threadId, events, {
      runId,
      ...(closes && { closes }),
      ...(once !== undefined && { once }),
      ...(producer && { producer: { ...producer, digest: digestOf(parsed) } }),
    });
    for (const draft of parsed) if (isQuestion(draft)) this.#expiries.watch(run, draft.data);
    if (closes) {
      this.forget(runId);
      return ack;
    }
    // Stored is stored: a budget that cannot be looked after now is looked after with the next append.
    await this.#budgets.look(run).catch(() => undefined);
    // An upper bound that costs nothing: other runs of the thread are counted with it.
    if (ack.last - run.first + 1 >= this.#limits.runEvents * WARN_AT) await this.#warnNearlyFull(runId);
    return ack;
  }

  async #warnNearlyFull(runId: string): Promise<void> {
    if (this.#warned.has(runId)) return;
    try {
      const run = await findRun(this.#log, runId);
      if (run.events < this.#limits.runEvents * WARN_AT) return;
      this.#warned.add(runId);
      const draft = parseDraft({ type: 'error.reported', data: nearlyFull(this.#limits) });
      const event = encodeEvent(draft, eventContext(run), this.#limits.eventBytes);
      await this.#log.append(run.threadId, [event], { runId, once: `nearly-full:${runId}` });
    } catch {
      // The producer's events are stored; a warning that could not be, or was before, is no reason to say otherwise.
    }
  }
}

const isQuestion = (draft: EventDraft): draft is EventDraft<'approval.requested'> =>
  draft.type === 'approval.requested';
