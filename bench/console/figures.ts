import { spread } from '../measure/statistics.ts';
import { figure, plain } from '../scenarios/cells.ts';
import type { Table } from '../scenarios/scenario.ts';
import type { Idle, Live, Opened } from './measure.ts';
import type { Scrubbed } from './scrub.ts';

/** Events per second of a live run. */
export const RATE = 2_000;

/** What is told of a page, and where that must stay. Without a bound it is work, told to be compared. */
interface Measure<Found> {
  readonly what: string;
  readonly of: (found: Found) => number;
  readonly most?: number;
  readonly least?: number;
  readonly digits?: number;
}

export const OPENED: readonly Measure<Opened>[] = [
  { what: 'first rows, ms', of: (it) => it.firstRows, most: 300 },
  { what: 'everything, ms', of: (it) => it.all, most: 2_000 },
  { what: 'longest task, ms', of: (it) => it.longestTask, most: 100 },
  { what: 'processor time, ms', of: (it) => it.cpuMs },
  { what: 'the run on the wire, MB', of: (it) => it.streamMB, digits: 1 },
  { what: 'heap, MB', of: (it) => it.heapMB, digits: 1 },
  { what: 'DOM nodes', of: (it) => it.nodes },
  { what: 'commits', of: (it) => it.commits },
];
export const IDLE: readonly Measure<Idle>[] = [
  { what: 'timers set or gone off', of: (it) => it.timers, most: 0 },
  { what: 'frames asked for', of: (it) => it.frames, most: 0 },
  { what: 'processor time, ms', of: (it) => it.cpuMs },
];
export const SCRUBBED: readonly Measure<Scrubbed>[] = [
  { what: 'any event, p50, ms', of: (it) => it.p50, digits: 2 },
  { what: 'any event, p99, ms', of: (it) => it.p99, most: 8, digits: 1 },
];
export const LIVE: readonly Measure<Live>[] = [
  { what: 'frame p95, ms', of: (it) => it.p95, most: 25, digits: 1 },
  { what: 'longest task, ms', of: (it) => it.longestTask, most: 100 },
  { what: 'events shown per second', of: (it) => it.shown, least: 0.95 * RATE },
  { what: 'commits per 1,000 events', of: (it) => it.commits, digits: 1 },
  { what: 'heap, MB', of: (it) => it.heapMB, digits: 1 },
  { what: 'DOM nodes', of: (it) => it.nodes },
];

/** All repetitions of everything that is told. */
export class Figures {
  readonly #rows = new Map<
    string,
    { readonly name: string; readonly measure: Measure<never>; readonly values: number[] }
  >();

  /** @param name of the page it was found on. */
  add<Found>(name: string, measures: readonly Measure<Found>[], found: Found): void {
    for (const measure of measures) {
      const key = `${name}: ${measure.what}`;
      const row = this.#rows.get(key) ?? { name, measure, values: [] };
      row.values.push(measure.of(found));
      this.#rows.set(key, row);
    }
  }

  /** What is not within its bounds: the median of its repetitions. */
  get missed(): readonly string[] {
    return [...this.#rows].filter(([, { measure, values }]) => !holds(measure, values)).map(([key]) => key);
  }

  get table(): Table {
    const rows = [...this.#rows.values()].map(({ name, measure, values }) => {
      const { what, most, least, digits = 0 } = measure;
      const bound = most === undefined ? least : most;
      return [
        ...[name, what, figure(values, digits)],
        bound === undefined ? '–' : `${most === undefined ? '≥' : '≤'} ${plain(bound, 0)}`,
        bound === undefined ? '' : holds(measure, values) ? 'holds' : '**does not hold**',
      ];
    });
    return { head: ['', '', 'measured', 'must be', ''], rows };
  }

  get outcomes(): readonly object[] {
    return [...this.#rows.values()].map(({ name, measure: { what }, values }) => ({ name, what, values }));
  }
}

function holds(
  { most = Number.POSITIVE_INFINITY, least = Number.NEGATIVE_INFINITY }: Measure<never>,
  values: number[],
) {
  const { median } = spread(values);
  return median <= most && median >= least;
}
