/**
 * How an append is decided, the same in every store. Everything it depends on is named by a key in the options, so a
 * store gathers these facts (from memory, or from disk beforehand), asks, and writes down what comes out: no clock, no
 * I/O, and nothing between the question and the answer that another append could slip into.
 */
import { type EncodedEvent, type Head, isEnded, isTerminal, statusAfter, TelltaleError } from '../protocol/index.ts';
import { approvalsAfter } from './approvals.ts';
import { commandsAfter } from './commands.ts';
import type { Ack, AppendOptions, RunRecord } from './log.ts';
import { checkAlive, type KnownRun } from './tombstone.ts';

/** One append of a producer, as remembered for as long as its run: what makes a retry answer as the first time. */
export interface ProducerEntry {
  readonly id: string;
  readonly epoch: number;
  readonly seq: number;
  readonly digest: string;
  readonly ack: Ack;
}

/** What a store knows that bears on one append. Absent: there is none. */
export interface AppendFacts {
  /** The thread; an append to none begins it. */
  readonly head?: Head | undefined;
  /** The run `options.runId`, in whatever thread it is, or what is left of it. */
  readonly run?: KnownRun | undefined;
  /** The newest append of `options.producer.id` to this run: its highest epoch, and the highest number in that. */
  readonly newest?: Pick<ProducerEntry, 'epoch' | 'seq'> | undefined;
  /** The append of this run that had exactly this producer id, epoch and seq, however long ago. */
  readonly earlier?: ProducerEntry | undefined;
  /** The number that `options.once` was decided at, in this thread. */
  readonly decidedAt?: number | undefined;
}

/** What a store has to make durable and visible, all of it or nothing, before it answers with `ack`. */
export interface Commit {
  readonly ack: Ack;
  /** Thread and run as they are afterwards. */
  readonly head: Head;
  readonly run: RunRecord;
  readonly producer?: ProducerEntry;
  readonly once?: { readonly key: string; readonly seq: number };
}

/**
 * Decides one append. `newEpoch` is asked for an id where the thread begins.
 *
 * @returns the `Commit` to make, or `{duplicate}`: the earlier Ack, and nothing to store.
 * @throws {TelltaleError} what `AppendOptions` and `ProducerKey` say, and `invalid_request` for a batch that is not one.
 */
export function decideAppend(
  threadId: string,
  batch: readonly EncodedEvent[],
  options: AppendOptions,
  facts: AppendFacts,
  newEpoch: () => string,
): Commit | { readonly duplicate: Ack } {
  const run = checkAlive(facts.run);
  // First of all, also for older epochs, fenced writers and closed runs: a refusal means "nothing was stored".
  const repeated = repeatedAck(options, facts);
  if (repeated) return { duplicate: repeated };

  const { commands: open = [], approvals: asked = [], ...before } = openRun(threadId, options, run, facts.decidedAt);
  checkProducer(options, facts);
  if (options.starts && open.some(({ command }) => command === 'cancel')) {
    throw new TelltaleError('command_refused', `Run ${options.runId} was cancelled before its turn came.`);
  }
  const status = checkBatch(batch, options, before.status);

  const epoch = facts.head?.epoch ?? newEpoch();
  const first = (facts.head?.last ?? 0) + 1;
  const last = first + batch.length - 1;
  const ack: Ack = { epoch, first, last };
  const commands = options.closes ? [] : commandsAfter(open, batch, first);
  const approvals = options.closes ? [] : approvalsAfter(asked, batch, first);
  return {
    ack,
    head: facts.head ? { ...facts.head, last } : { epoch, first: 1, last, epochs: [{ id: epoch, after: 0 }] },
    run: {
      ...before,
      status,
      first: options.opens ? first : before.first,
      events: before.events + batch.length,
      ...(before.leaseMs !== undefined && { renewedAt: timeOf(batch[batch.length - 1]!) }),
      ...(commands.length > 0 && { commands }),
      ...(approvals.length > 0 && { approvals }),
      ...(options.closes && { last, endedAt: timeOf(batch[batch.length - 1]!) }),
    },
    ...(options.producer && { producer: { ...options.producer, ack } }),
    ...(options.once !== undefined && { once: { key: options.once, seq: last } }),
  };
}

function repeatedAck({ producer, runId }: AppendOptions, { earlier }: AppendFacts): Ack | undefined {
  if (!producer || !earlier) return undefined;
  if (earlier.digest === producer.digest) return { ...earlier.ack, duplicate: true };
  const { id, epoch, seq } = producer;
  throw new TelltaleError(
    'producer_conflict',
    `Producer ${id} has sent other content as append ${seq} of epoch ${epoch} before. Never change what is sent again.`,
    { runId, epoch, seq },
  );
}

/** The run before this batch: the one that is there and may be written to, or the one that the batch opens. */
function openRun(
  threadId: string,
  options: AppendOptions,
  run: RunRecord | undefined,
  decidedAt: number | undefined,
): RunRecord {
  const { runId, opens, fence, once } = options;
  if (opens && run) throw new TelltaleError('run_exists', `Run ${runId} exists already. Choose another id.`, { runId });
  if (!opens && run?.threadId !== threadId) {
    throw new TelltaleError('run_not_found', `There is no run ${runId} in thread ${threadId}.`, { runId, threadId });
  }
  const current: RunRecord = run ?? {
    ...opens!,
    runId,
    threadId,
    status: 'queued',
    first: 0,
    events: 0,
    fence: opens!.leased ? 1 : 0,
  };
  if (fence !== undefined && fence !== current.fence) {
    throw new TelltaleError('lease_fenced', `Lease ${fence} on run ${runId} has passed on.`, { runId });
  }
  // Before `run_closed`: who comes too late for an answer wants to know which answer it was.
  if (once !== undefined && decidedAt !== undefined) {
    throw new TelltaleError('already_decided', `"${once}" was decided by event ${decidedAt}.`, {
      once,
      seq: decidedAt,
    });
  }
  if (isEnded(current.status)) {
    const { status, last } = current;
    throw new TelltaleError('run_closed', `Run ${runId} has ended (${status}). Start a new one.`, {
      runId,
      status,
      last,
    });
  }
  return current;
}

function checkProducer({ producer }: AppendOptions, { newest }: AppendFacts): void {
  if (!producer) return;
  if (newest && producer.epoch < newest.epoch) {
    throw new TelltaleError(
      'producer_fenced',
      `Producer ${producer.id} goes on under epoch ${newest.epoch}; epoch ${producer.epoch} may write no more.`,
      { epoch: newest.epoch },
    );
  }
  const expected = newest?.epoch === producer.epoch ? newest.seq + 1 : 0;
  if (producer.seq !== expected) {
    throw new TelltaleError(
      'producer_gap',
      `Producer ${producer.id} sent append ${producer.seq} where ${expected} comes next. Send what is missing first.`,
      { expected },
    );
  }
}

/** The run's status after the batch. A terminal event stands at the end of a closing batch, and nowhere else. */
function checkBatch(batch: readonly EncodedEvent[], { runId, closes }: AppendOptions, before: RunRecord['status']) {
  if (batch.length === 0) throw new TelltaleError('invalid_request', 'A batch has at least one event');
  let status = before;
  for (const [index, event] of batch.entries()) {
    if (event.runId !== runId) {
      throw new TelltaleError('invalid_request', `Event ${index} is of run ${event.runId}, the batch of ${runId}`);
    }
    if (isTerminal(event.type) !== (closes === true && index === batch.length - 1)) {
      throw new TelltaleError(
        'invalid_request',
        `Event ${index} (${event.type}): a terminal event ends a closing batch`,
      );
    }
    status = statusAfter(event.type) ?? status;
  }
  return status;
}

/** The first in it: what stands before cannot hold a quote (see `encodeEvent`). */
const timeOf = ({ rest }: EncodedEvent): string => /"time":"([^"]*)"/.exec(rest)![1]!;
