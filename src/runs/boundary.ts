import { statusAfter } from '../protocol/index.ts';

/** Written by `POST /v1/runs` and by the command routes, for every run. */
const OURS = new Set(['run.queued', 'run.started', 'control.requested']);

/**
 * True for the events that only Telltale writes (PROTOCOL.md section 8): a run's opening and its commands; where an
 * executor owns the run, everything else that decides its status too.
 */
export const isReserved = (type: string, { leased }: { readonly leased: boolean }): boolean =>
  OURS.has(type) || (leased && statusAfter(type) !== undefined);
