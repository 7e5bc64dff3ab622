/** Lab values as a laboratory exports them: `date,test,value,unit,low,high`, where a side of the range may be open. */
export interface Lab {
  /** `2026-10-20` */
  readonly date: string;
  readonly test: string;
  readonly value: number;
  readonly unit: string;
  readonly low?: number;
  readonly high?: number;
}

const HEADER = 'date,test,value,unit,low,high';

/** @throws where a line is none of that. */
export function parseLabs(csv: string): Lab[] {
  const [header = '', ...lines] = csv.trim().split(/\r?\n/);
  if (header.trim() !== HEADER) throw new Error(`The first line of the file must be ${HEADER}`);
  return lines.map((line, i) => {
    const [date = '', test = '', value = '', unit = '', low = '', high = ''] = line.split(',').map((it) => it.trim());
    const number = (text: string): number => {
      if (text !== '' && Number.isFinite(Number(text))) return Number(text);
      throw new Error(`Line ${i + 2} of the file: ${JSON.stringify(text)} is no number.`);
    };
    const range = { ...(low && { low: number(low) }), ...(high && { high: number(high) }) };
    return { date, test, value: number(value), unit, ...range };
  });
}

/** One test over time, oldest first. */
export type Series = readonly [Lab, ...Lab[]];

export function seriesOf(labs: readonly Lab[], tests: readonly string[]): Series[] {
  const ordered = labs.toSorted((a, b) => a.date.localeCompare(b.date));
  return tests
    .map((test) => ordered.filter((it) => it.test === test))
    .filter((it): it is [Lab, ...Lab[]] => it.length > 0);
}

/** What the newest value is against its range and against the one before it. */
export function describe(series: Series): string {
  const [newest, before] = series.toReversed() as [Lab, Lab?];
  const { test, value, unit, date } = newest;
  const change =
    before && before.value !== value ? `, ${value > before.value ? 'up' : 'down'} from ${before.value}` : '';
  return `${test} ${value} ${unit} (${date})${change}: ${standing(newest)}`;
}

export const isOutside = ([...series]: Series): boolean => /^(?:above|below)/.test(standing(series.at(-1)!));

function standing({ value, low, high }: Lab): string {
  if (high !== undefined && value > high) return `above the reference range, which ends at ${high}.`;
  if (low !== undefined && value < low) return `below the reference range, which begins at ${low}.`;
  const range = [low === undefined ? '' : `from ${low}`, high === undefined ? '' : `to ${high}`].filter(Boolean);
  return range.length > 0 ? `within the reference range (${range.join(' ')}).` : 'no reference range is given.';
}
