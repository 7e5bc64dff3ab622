import type { RunSnapshot } from 'telltale/protocol';
import { visible } from 'telltale/react/parts';
import type { MarkKind, ReplayResult } from 'telltale/react/replay';
import { count, duration } from '../ui/format.ts';

export const KINDS: Readonly<
  Record<MarkKind, { readonly glyph: string; readonly one: string; readonly many: string }>
> = {
  step: { glyph: '◆', one: 'step', many: 'steps' },
  error: { glyph: '✕', one: 'error', many: 'errors' },
  approval: { glyph: '‖', one: 'question', many: 'questions' },
  pause: { glyph: '■', one: 'pause', many: 'pauses' },
};

const clock = new Intl.DateTimeFormat('en', { timeStyle: 'medium', hourCycle: 'h23' });

/** The time of day to the millisecond: `14:03:40.118`. */
export const momentOfDay = (time: number): string =>
  `${clock.format(time)}.${String(Math.floor(time) % 1_000).padStart(3, '0')}`;

/** Which event of how many is shown: what stands in the strip, and what a screen reader says first. */
export const placeWords = (seq: number, newest: number): string => `event ${count(seq)} of ${count(newest)}`;

/** All of a moment, as the slider says it: `event 2,417 of 4,390, 1 min 29 s, step 3 Check policy`. */
export function valueText(
  { seq, elapsedMs, isLive, at, loaded }: ReplayResult,
  newest: number,
  isEnded: boolean,
): string {
  const facts = [
    isLive ? `${isEnded ? 'the end' : 'live'}, ${placeWords(newest, newest)}` : placeWords(seq, newest),
    loaded > 0 && duration(elapsedMs),
    at && stepWords(at),
  ];
  return facts.filter(Boolean).join(', ');
}

function stepWords({ steps, plan }: RunSnapshot): string | undefined {
  const index = steps.findLastIndex(({ status }) => status === 'running');
  const step = steps[index];
  if (!step) return undefined;
  const planned = plan?.stepIds.indexOf(step.id) ?? -1;
  return `step ${count((planned < 0 ? index : planned) + 1)} ${visible(step.name)}`;
}

interface Standing {
  readonly isEnded: boolean;
  readonly newest: number;
}

/** Why an address shows another moment than it names; `undefined` where it does not. */
export function outOfRange(
  {
    seq,
    first,
    last,
    loaded,
    isLive,
    isLoading,
  }: Pick<ReplayResult, 'seq' | 'first' | 'last' | 'loaded' | 'isLive' | 'isLoading'>,
  { isEnded, newest }: Standing,
): string | undefined {
  if (isLive || loaded === 0) return undefined;
  if (seq < first) return `The run begins with event ${count(first)}: at ${count(seq)} there was nothing yet.`;
  if (isLoading || seq <= Math.max(last, newest)) return undefined;
  return isEnded
    ? `There is no event ${count(seq)}: the run ended with event ${count(last)}, which is shown.`
    : `Event ${count(seq)} has not happened yet: event ${count(last)} is the newest.`;
}
