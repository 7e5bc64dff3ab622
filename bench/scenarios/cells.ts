import { BASELINE } from '../contenders/index.ts';
import { spread } from '../measure/statistics.ts';

/** The median, and in brackets the extremes where there are several repetitions: `7.2 (6.9–8.1)`. */
export function figure(values: readonly number[], digits = 1): string {
  const { median, min, max } = spread(values);
  if (!Number.isFinite(median)) return '–';
  const text = (value: number): string => plain(value, digits);
  return values.length > 1 ? `${text(median)} (${text(min)}–${text(max)})` : text(median);
}

export const plain = (value: number, digits: number): string =>
  value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** Each repetition against the baseline of the same repetition, since the machine differs more from minute to minute. */
export function ratio<T extends { contender: string; rep: number }>(
  outcomes: readonly T[],
  contender: string,
  value: (outcome: T) => number,
): string {
  const of = (name: string, rep: number) => outcomes.find((it) => it.contender === name && it.rep === rep);
  const ratios = outcomes
    .filter((it) => it.contender === contender)
    .flatMap((it) => {
      const base = of(BASELINE, it.rep);
      return base ? [value(it) / value(base)] : [];
    });
  return figure(ratios, 2);
}

/** All outcomes of each contender, in the contenders' order. */
export function byContender<T extends { contender: string }>(
  names: readonly string[],
  outcomes: readonly T[],
): { name: string; of: readonly T[] }[] {
  return names
    .map((name) => ({ name, of: outcomes.filter((it) => it.contender === name) }))
    .filter(({ of }) => of.length > 0);
}

export const total = <T>(of: readonly T[], value: (it: T) => number): string =>
  plain(
    of.reduce((sum, it) => sum + value(it), 0),
    0,
  );

/** Beyond this share of a core, what others did shows in the figures. */
const DISTURBED = 0.1;

/** How busy the load programs and others were at worst: the load's share near 100 % means that it was the limit. */
export function loadNote(outcomes: readonly { loadShare: number; foreignShare: number }[]): string {
  const load = Math.max(...outcomes.map((it) => it.loadShare));
  return `The load programs used ${percent(load)} of their core at most; ${foreignNote(outcomes)}`;
}

/** How busy others were at worst. */
export function foreignNote(outcomes: readonly { foreignShare: number }[]): string {
  const foreign = Math.max(...outcomes.map((it) => it.foreignShare));
  const warning = foreign > DISTURBED ? ' **The machine was not quiet: do not quote these figures.**' : '';
  return `others took up to ${percent(foreign)} of a core meanwhile.${warning}`;
}

export const percent = (share: number): string => `${plain(share * 100, 0)} %`;
