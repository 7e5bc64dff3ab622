import { statusAfter } from '../protocol/index.ts';

/** Written by `POST /v1/runs` and by the command routes, for every run. */
const OURS = new Set(['run.queued', 'run.started', 'control.requested', 'control.overdue']);

/** Written by the executor, and by the routes that answer what it asks, where there is one. */
const EXECUTORS = new Set([
  ...['control.refused', 'approval.resolved', 'approval.expired', 'input.received'],
  ...['budget.set', 'budget.warning', 'budget.exceeded'],
]);

/**
 * True for the events that only Telltale writes (PROTOCOL.md section 8): a run's opening and its commands; where an
 * executor owns the run, everything else that decides its status, and what people were asked and said, too.
 */
export const isReserved = (type: string, { leased }: { readonly leased: boolean }): boolean =>
  OURS.has(type) || (leased && (statusAfter(type) !== undefined || EXECUTORS.has(type)));
