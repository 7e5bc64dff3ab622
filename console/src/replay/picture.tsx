import { memo, type ReactElement, useMemo } from 'react';
import { visible } from 'telltale/react/parts';
import type { Mark, Stretch } from 'telltale/react/replay';
import { plural } from '../ui/format.ts';
import { KINDS } from './words.ts';

/** In so many parts the line is drawn; marks of one kind in one of them are one. */
export const PARTS = 160;
const HEIGHT = 16;

/** How much happened where: a bar for each part of the line, hatched where nothing did for long. Drawn again when it grows. */
export const Density = memo(({ stretches }: { readonly stretches: readonly Stretch[] }): ReactElement => {
  const most = Math.max(1, ...stretches.map(({ events }) => events));
  const bars = stretches.map(({ events }, i) => {
    if (events === 0) return '';
    // By the root: beside a burst of thousands a single event is still seen.
    const height = Math.max(1, Math.sqrt(events / most) * HEIGHT).toFixed(1);
    return `M${i} ${HEIGHT}v-${height}h0.8v${height}z`;
  });
  return (
    <>
      <svg className="replay-density" viewBox={`0 0 ${PARTS} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <path d={bars.join('')} />
      </svg>
      {idle(stretches).map(({ from, to }) => (
        <span
          key={from}
          className="replay-idle"
          title="Nothing happened for a while: the wait is drawn short"
          style={{ left: `${(from / PARTS) * 100}%`, width: `${((to - from) / PARTS) * 100}%` }}
        />
      ))}
    </>
  );
});

/** Where parts next to each other are idle. */
function idle(stretches: readonly Stretch[]): { readonly from: number; readonly to: number }[] {
  const found: { from: number; to: number }[] = [];
  stretches.forEach(({ isIdle }, i) => {
    const last = found.at(-1);
    if (isIdle && last?.to === i) last.to = i + 1;
    else if (isIdle) found.push({ from: i, to: i + 1 });
  });
  return found;
}

export interface MarksProps {
  readonly marks: readonly Mark[];
  /** How long the line is that was read, and where on it a number is. */
  readonly length: number;
  readonly place: (seq: number) => number;
}

/** Where steps began, something failed, somebody was asked. A press on one leads to it; the buttons above do by keyboard. */
export const Marks = memo(({ marks, length, place }: MarksProps): ReactElement => {
  // `place` is another function each time, and finds the same.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above.
  const groups = useMemo(() => grouped(marks, length, place), [marks, length]);
  return (
    <>
      {groups.map(({ first, count, part, beside }) => (
        <span
          key={`${first.kind} ${part}`}
          className="replay-mark"
          data-kind={first.kind}
          data-seq={first.seq}
          data-beside={beside || undefined}
          title={titleOf(first, count)}
          style={{ left: `${(part / PARTS) * 100}%` }}
        >
          {KINDS[first.kind].glyph}
        </span>
      ))}
    </>
  );
}, isSame);

const MARKED = Object.keys(KINDS);

interface Group {
  readonly first: Mark;
  readonly part: number;
  /** How many of other kinds are there before it. */
  readonly beside: number;
  count: number;
}

function grouped(marks: readonly Mark[], length: number, place: (seq: number) => number): readonly Group[] {
  const groups = new Map<string, Group>();
  const kindsAt = (part: number): number => MARKED.filter((kind) => groups.has(`${kind} ${part}`)).length;
  for (const first of marks) {
    const part = length > 0 ? Math.round((place(first.seq) / length) * PARTS) : 0;
    const key = `${first.kind} ${part}`;
    const group = groups.get(key);
    if (group) group.count++;
    else groups.set(key, { first, part, beside: kindsAt(part), count: 1 });
  }
  return [...groups.values()];
}

function isSame(before: MarksProps, after: MarksProps): boolean {
  return before.marks === after.marks && before.length === after.length;
}

function titleOf({ kind, label }: Mark, count: number): string {
  const { one, many } = KINDS[kind];
  const words = count === 1 ? one[0]?.toUpperCase() + one.slice(1) : `${plural(count, one, many)}, the first`;
  return label === '' ? words : `${words}: ${visible(label)}`;
}
