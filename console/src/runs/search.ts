import type { ListedRun } from 'telltale/client';
import { STATUS_WORDS } from '../ui/format.ts';

/** How far back the list goes. */
export const SINCE = { '1h': 3_600_000, '24h': 86_400_000, '7d': 604_800_000 } as const;

/** The list's filters, as they stand in the address. */
export interface RunsSearch {
  readonly status?: ListedRun['status'];
  readonly agent?: string;
  readonly since?: keyof typeof SINCE;
  /** In ids, agents and titles. */
  readonly find?: string;
}

/** Whatever an address says: what is no filter is left out. */
export function readRunsSearch(search: Record<string, unknown>): RunsSearch {
  const text = (name: string): string | undefined => {
    const value = search[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const found = {
    status: Object.keys(STATUS_WORDS).find((it) => it === search.status),
    agent: text('agent'),
    since: Object.keys(SINCE).find((it) => it === search.since),
    find: text('find'),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}
