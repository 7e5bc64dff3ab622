import type { RunSnapshot } from 'telltale/protocol';
import type { LimitUse } from 'telltale/react';

/** From fewer calls no pace can be told. */
const MIN_CALLS = 3;
/** Neither from a shorter time, in milliseconds. */
const MIN_MS = 5_000;

/**
 * In how many milliseconds a maximum is used up if the run goes on as it did so far: an estimate by the log's times, as of
 * the last call that counts for it. `undefined` where the log has too little to say it, or nothing of it is used or left.
 */
export function msLeft(
  { limit, used, max }: Pick<LimitUse, 'limit' | 'used' | 'max'>,
  { startedAt, llmCalls, tools }: Pick<RunSnapshot, 'startedAt' | 'llmCalls' | 'tools'>,
): number | undefined {
  if (startedAt === undefined || !used || used >= max) return undefined;
  const calls: readonly { readonly endedAt?: string; readonly startedAt: string }[] =
    limit === 'toolCalls' ? tools : llmCalls;
  const last = calls.at(-1);
  if (calls.length < MIN_CALLS || !last) return undefined;
  const ms = Date.parse(last.endedAt ?? last.startedAt) - Date.parse(startedAt);
  return ms < MIN_MS ? undefined : (ms / used) * (max - used);
}
