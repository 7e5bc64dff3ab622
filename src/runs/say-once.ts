/**
 * What people say to a run under an `Idempotency-Key`: stored once, however often and wherever it is sent. As for starts
 * (`startOnce`) there is no store of keys: the id of what is said follows from run and key, and the log decides who was first.
 */
import { createHash } from 'node:crypto';
import type { Log, RunRecord } from '../log/index.ts';
import {
  type EventDraft,
  encodeEvent,
  type Limits,
  parseDraft,
  TelltaleError,
  type TelltaleEvent,
} from '../protocol/index.ts';
import { digestOf } from './digest.ts';
import { eventContext } from './event-context.ts';
import { checkKey } from './start-once.ts';

/** The number of what was said. */
export interface SaidOnce {
  readonly seq: number;
  /** It had been said before under the same key. */
  readonly duplicate?: true;
}

/**
 * The `commandId` or `inputId` that belongs to a key: 180 bits of a hash, so that one key is one id in one run.
 *
 * @throws {TelltaleError} `invalid_request` for what is no key.
 */
export function idOfKey(runId: string, key: string): string {
  const named = JSON.stringify(['telltale idempotency-key', 'said', runId, checkKey(key)]);
  return `i-${createHash('sha256').update(named).digest('base64url').slice(0, 30)}`;
}

/**
 * Appends one event that holds `id`. All routes share the ids of a run, so that a key that was used for something else is
 * noticed, whatever that was.
 *
 * @throws {TelltaleError} `idempotency_conflict` (422) where something else was said under the id; `run_closed`, and what
 * else `Log.append` refuses: with the same id it is always safe to say it again.
 */
export async function sayOnce(
  log: Log,
  limits: Limits,
  run: Pick<RunRecord, 'threadId' | 'runId' | 'parentRunId'>,
  draft: Pick<EventDraft, 'type' | 'data'>,
  id: string,
): Promise<SaidOnce> {
  const { runId, threadId } = run;
  const checked = parseDraft(draft);
  const event = encodeEvent(checked, eventContext(run), limits.eventBytes);
  try {
    return { seq: (await log.append(threadId, [event], { runId, once: `said:${runId}:${id}` })).last };
  } catch (thrown) {
    const error = TelltaleError.from(thrown);
    if (error.code !== 'already_decided') throw error;
    const seq = error.particulars.seq as number;
    const first = await eventAt(log, threadId, seq);
    if (first && digestOf([first.type, first.data]) !== digestOf([checked.type, checked.data])) {
      const detail = `This Idempotency-Key was used for something else (event ${seq}). Send the same again, or take a new key.`;
      throw new TelltaleError('idempotency_conflict', detail, { runId, seq });
    }
    return { seq, duplicate: true };
  }
}

/** Nothing where it was trimmed: then nobody can tell any more what was said. */
async function eventAt(log: Log, threadId: string, seq: number): Promise<TelltaleEvent | undefined> {
  const block = (await log.read(threadId, seq - 1, 1)).blocks[0];
  return block?.first === seq ? block.event(seq) : undefined;
}
