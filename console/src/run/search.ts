const VIEWS = ['story', 'frames', 'json'] as const;
export type RunViewName = (typeof VIEWS)[number];

export const SHOWN = ['all', 'thinking', 'tools', 'errors'] as const;
export type ShownName = (typeof SHOWN)[number];

/** What of a run is looked at, as it stands in the address: a link shows the same to whoever opens it. */
export interface RunSearch {
  readonly view?: RunViewName;
  /** The event that is looked at, by number. */
  readonly event?: number;
  /** The moment that is shown: the run as it was after the event of this number. */
  readonly at?: number;
  readonly show?: ShownName;
  /** Only what happened during this step. */
  readonly step?: string;
  readonly find?: string;
}

/** Whatever an address says: what makes no sense is left out. */
export function readRunSearch(search: Record<string, unknown>): RunSearch {
  const text = (name: string): string | undefined => {
    const value = search[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const seq = (name: string): number | undefined => {
    const value = Number(search[name]);
    return Number.isSafeInteger(value) && value > 0 ? value : undefined;
  };
  const found: Record<keyof RunSearch, unknown> = {
    view: VIEWS.find((it) => it === search.view),
    event: seq('event'),
    at: seq('at'),
    show: SHOWN.find((it) => it === search.show),
    step: text('step'),
    find: text('find'),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}
