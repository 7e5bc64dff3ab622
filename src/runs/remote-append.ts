/**
 * What is checked about events that come from outside: each by itself, and against the boundary of their run
 * (PROTOCOL.md section 8).
 */
import type { RunRecord } from '../log/index.ts';
import {
  type EncodedEvent,
  type EventDraft,
  encodeEvent,
  isTerminal,
  type Limits,
  parseDraft,
  TelltaleError,
} from '../protocol/index.ts';
import { isReserved } from './boundary.ts';
import { eventContext } from './event-context.ts';
import { answerKey } from './expiries.ts';

export interface RemoteBatch {
  readonly parsed: readonly EventDraft[];
  readonly events: readonly EncodedEvent[];
  readonly closes: boolean;
  /** Holds the outcome of a question: of which one, as `AppendOptions.once`. */
  readonly once?: string;
}

/**
 * Checks and encodes a batch. `nameOf` says what an event is called in errors.
 *
 * @throws {TelltaleError} `invalid_request` (no events), `batch_too_large`, `invalid_event`, `reserved_type`,
 * `event_too_large`, `run_full`.
 */
export function checkBatch(
  drafts: readonly unknown[],
  run: RunRecord,
  limits: Limits,
  nameOf: (index: number) => string = (index) => `events[${index}]`,
): RemoteBatch {
  if (drafts.length === 0) throw new TelltaleError('invalid_request', 'events: at least one is needed');
  if (drafts.length > limits.batchEvents) {
    const detail = `${drafts.length} events; one append may have ${limits.batchEvents}. Send them in several.`;
    throw new TelltaleError('batch_too_large', detail, { maxEvents: limits.batchEvents });
  }
  const parsed = drafts.map((draft, index) => parseDraft(draft, nameOf(index)));
  const last = parsed.length - 1;
  for (const [index, { type }] of parsed.entries()) {
    checkBoundary(nameOf(index), type, run);
    if (isTerminal(type) && index < last) {
      throw new TelltaleError(
        'invalid_event',
        `${nameOf(index)}: nothing may follow ${type} in a batch; it ends the run.`,
      );
    }
  }
  const closes = isTerminal(parsed[last]!.type);
  // A run that is full can still be ended.
  const room = limits.runEvents - run.events + (closes && last === 0 ? 1 : 0);
  if (parsed.length > room) {
    const detail = `Run ${run.runId} has ${run.events} events; a run may have ${limits.runEvents}. End it, start another.`;
    throw new TelltaleError('run_full', detail, { events: run.events, maxEvents: limits.runEvents });
  }
  const context = eventContext(run);
  const events = parsed.map((draft) => encodeEvent(draft, context, limits.eventBytes));
  const once = outcomeIn(parsed, run.runId, nameOf);
  return { parsed, events, closes, ...(once !== undefined && { once }) };
}

/** The log decides which outcome of a question is the first, and it decides one thing in one append. */
function outcomeIn(
  parsed: readonly EventDraft[],
  runId: string,
  nameOf: (index: number) => string,
): string | undefined {
  let once: string | undefined;
  for (const [index, { type, data }] of parsed.entries()) {
    if (type !== 'approval.resolved' && type !== 'approval.expired') continue;
    if (once !== undefined) {
      throw new TelltaleError(
        'invalid_event',
        `${nameOf(index)}: one append may answer one question. Send it by itself.`,
      );
    }
    once = answerKey(runId, data.approvalId as string);
  }
  return once;
}

function checkBoundary(at: string, type: string, run: RunRecord): void {
  if (isReserved(type, { leased: false })) {
    throw new TelltaleError('reserved_type', `${at}: ${type} is written by Telltale, by POST /v1/runs or a command.`);
  }
  if (run.leased && isReserved(type, { leased: true })) {
    throw new TelltaleError('reserved_type', `${at}: ${type} is written by the executor that runs ${run.runId} here.`);
  }
}
