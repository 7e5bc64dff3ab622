import { memo, type ReactElement } from 'react';
import type { Mark, MarkKind, ReplayResult } from 'telltale/react/replay';
import { plural } from '../ui/format.ts';
import { KINDS } from './words.ts';

const RATES = [0.5, 1, 2, 5, 10];

export interface ControlsProps
  extends Pick<ReplayResult, 'marks' | 'rate' | 'skipIdle' | 'step' | 'next' | 'previous' | 'setRate' | 'setSkipIdle'> {
  /** A jump is one step of the browser's history. */
  readonly begin: () => void;
}

/** From event to event, from mark to mark, and how fast it plays. */
export const Controls = memo(
  ({ marks, rate, skipIdle, step, next, previous, setRate, setSkipIdle, begin }: ControlsProps): ReactElement => {
    const jump = (to: (kind: MarkKind) => void, kind: MarkKind) => (): void => {
      begin();
      to(kind);
    };
    return (
      <div className="replay-controls">
        <Pair label="Events" word="event" back={() => step(-1)} on={() => step(1)} />
        {countsOf(marks).map(([kind, count]) => (
          <Pair
            key={kind}
            kind={kind}
            label={plural(count, KINDS[kind].one, KINDS[kind].many)}
            word={KINDS[kind].one}
            back={jump(previous, kind)}
            on={jump(next, kind)}
          />
        ))}
        <label>
          Speed{' '}
          <select value={rate} onChange={({ target }) => setRate(Number(target.value))}>
            {RATES.map((it) => (
              <option key={it} value={it}>
                {it === 0.5 ? '½' : it}×
              </option>
            ))}
          </select>
        </label>
        <label className="replay-skip">
          <input type="checkbox" checked={skipIdle} onChange={({ target }) => setSkipIdle(target.checked)} />
          Skip waits over 2 s
        </label>
      </div>
    );
  },
);

interface PairProps {
  readonly kind?: MarkKind;
  readonly label: string;
  readonly word: string;
  readonly back: () => void;
  readonly on: () => void;
}

const Pair = ({ kind, label, word, back, on }: PairProps): ReactElement => (
  <fieldset className="replay-pair" data-kind={kind}>
    <legend className="sr-only">{label}</legend>
    <button type="button" onClick={back} aria-label={`Previous ${word}`} title={`Previous ${word}`}>
      <span aria-hidden="true">‹</span>
    </button>
    <span aria-hidden="true">
      {kind && <span className="replay-glyph">{KINDS[kind].glyph} </span>}
      {label}
    </span>
    <button type="button" onClick={on} aria-label={`Next ${word}`} title={`Next ${word}`}>
      <span aria-hidden="true">›</span>
    </button>
  </fieldset>
);

/** How many marks of which kind there are, the kinds in their order. */
function countsOf(marks: readonly Mark[]): readonly (readonly [MarkKind, number])[] {
  const kinds = Object.keys(KINDS) as MarkKind[];
  return kinds
    .map((kind) => [kind, marks.filter((it) => it.kind === kind).length] as const)
    .filter(([, count]) => count > 0);
}
