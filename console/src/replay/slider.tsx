import { type KeyboardEvent, type PointerEvent, type ReactElement, useMemo, useRef } from 'react';
import type { ReplayResult } from 'telltale/react/replay';
import type { Line } from './line.ts';
import { Density, Marks, PARTS } from './picture.tsx';

export interface SliderProps {
  readonly replay: ReplayResult;
  readonly line: Line;
  readonly newest: number;
  readonly text: string;
  /** A gesture begins, which is one step of the browser's history. */
  readonly begin: () => void;
  readonly toggle: () => void;
}

/** A finger or a hand that presses moves by so many pixels without meaning it. */
const STILL = 4;

/** The line of a run, its picture, and the moment on it that is shown. The right edge is now. */
export function Slider({ replay, line, newest, text, begin, toggle }: SliderProps): ReactElement {
  const { seq, first, last, loaded, resets, isLive, marks, place } = replay;
  const pressedAt = useRef<number>(undefined);
  const fraction = isLive ? 1 : line.at(seq);
  const length = place(last);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another function each time; what it gives depends on these.
  const stretches = useMemo(() => replay.stretches(PARTS), [loaded, resets]);

  function press(event: PointerEvent<HTMLElement>): void {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    pressedAt.current = event.clientX;
    replay.pause();
    begin();
    const mark = (event.target as HTMLElement).dataset.seq;
    if (mark === undefined) goTo(event);
    else replay.seek(Number(mark));
  }

  function move(event: PointerEvent<HTMLElement>): void {
    if (pressedAt.current === undefined || Math.abs(event.clientX - pressedAt.current) < STILL) return;
    pressedAt.current = Number.NEGATIVE_INFINITY;
    goTo(event);
  }

  function goTo({ clientX, currentTarget }: PointerEvent<HTMLElement>): void {
    const { left, width } = currentTarget.getBoundingClientRect();
    const wanted = (clientX - left) / width;
    if (wanted >= 1) replay.goLive();
    else replay.seek(line.seqAt(wanted));
  }

  function release(): void {
    pressedAt.current = undefined;
  }

  function type(event: KeyboardEvent): void {
    const act = keys()[event.key];
    if (!act || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    // Those of the page mean something else.
    event.stopPropagation();
    act(event.shiftKey ? 10 : 1);
  }

  const keys = (): Readonly<Record<string, (times: number) => void>> => ({
    ArrowLeft: (times) => replay.step(-times),
    ArrowDown: (times) => replay.step(-times),
    ArrowRight: forward,
    ArrowUp: forward,
    PageUp: () => replay.next('step'),
    PageDown: () => replay.previous('step'),
    Home: () => {
      replay.pause();
      replay.seek(first);
    },
    End: () => replay.goLive(),
    ' ': toggle,
  });

  /** Behind the last event is what is now. */
  function forward(times: number): void {
    if (!isLive && seq >= last && !replay.isLoading) replay.goLive();
    else if (!isLive) replay.step(times);
  }

  return (
    <div
      className="replay-slider"
      role="slider"
      tabIndex={0}
      aria-label="Moment of the run"
      aria-valuemin={Math.min(first, newest)}
      aria-valuemax={newest}
      aria-valuenow={isLive ? newest : Math.min(seq, newest)}
      aria-valuetext={text}
      onPointerDown={press}
      onPointerMove={move}
      onPointerUp={release}
      onPointerCancel={release}
      onKeyDown={type}
    >
      <div className="replay-read" style={{ width: `${line.read * 100}%` }}>
        <Density stretches={stretches} />
        <Marks marks={marks} length={length} place={place} />
      </div>
      {line.read < 1 && loaded > 0 && (
        <div className="replay-unread" title="Not read yet" style={{ left: `${line.read * 100}%` }} />
      )}
      <div className="replay-rail" />
      <div className="replay-past" style={{ transform: `scaleX(${fraction})` }} />
      <div className="replay-thumb" data-state={isLive ? 'live' : 'moment'} style={{ left: `${fraction * 100}%` }} />
    </div>
  );
}
