import type { RunFilter } from 'telltale/client';

/** The list's filters, as they stand in the address. */
export interface RunsSearch {
  readonly status?: NonNullable<RunFilter['status']>;
  readonly agent?: string;
}

const STATUSES = ['queued', 'running', 'paused', 'completed', 'failed', 'cancelled'] as const;

/** Whatever an address says, these are filters: what is none is left out. */
export function readRunsSearch(search: Record<string, unknown>): RunsSearch {
  const status = STATUSES.find((it) => it === search.status);
  const agent = typeof search.agent === 'string' && search.agent !== '' ? search.agent : undefined;
  return { ...(status && { status }), ...(agent !== undefined && { agent }) };
}
