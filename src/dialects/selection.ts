import { type Entry, isTerminal } from '../protocol/index.ts';
import type { Selection } from './dialect.ts';

/** Whether a selection lets an event pass; `undefined` for one that has every event of the thread. */
export function selects({ runId, types }: Selection): ((event: Entry) => boolean) | undefined {
  if (types === undefined) return runId === undefined ? undefined : (event) => event.runId === runId;
  const exact = new Set(types.filter((type) => !type.endsWith('.*')));
  const groups = types.filter((type) => type.endsWith('.*')).map((type) => type.slice(0, -1));
  return (event) =>
    (runId === undefined || event.runId === runId) &&
    (exact.has(event.type) || isTerminal(event.type) || groups.some((group) => event.type.startsWith(group)));
}
