import './strip.css';
import { type ReactElement, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { type RunResult, useRun } from 'telltale/react';
import { type ReplayResult, useReplay } from 'telltale/react/replay';
import { useShortcuts } from '../shell/shortcuts.ts';
import { useAddress, useAddressedMoment } from './address.ts';
import { Controls } from './controls.tsx';
import { lineOf } from './line.ts';
import { Moment } from './moment.tsx';
import type { Moment as ShownMoment } from './replayable.tsx';
import { Slider } from './slider.tsx';
import { valueText } from './words.ts';

/** A run that is over and has up to so many events is read at once; of any other, when somebody comes near. */
const SHORT = 2_000;

export interface StripProps {
  readonly runId: string;
  readonly show: (moment: ShownMoment) => void;
}

/** The foot of a run's screen: where on its line what is shown stands, and the way to any other moment of it. */
export default function Strip({ runId, show }: StripProps): ReactElement | null {
  const run = useRun(runId, { select: standing });
  const at = useAddressedMoment();
  const [linked] = useState(at);
  const [isNear, setIsNear] = useState(at !== undefined);
  const enabled = isNear || at !== undefined || (run.isEnded && run.events <= SHORT);
  const replay = useReplay(runId, { at: linked, from: 'start', enabled });
  const { shown, isLive, loaded, isPlaying } = replay;
  useLayoutEffect(() => show(isLive ? undefined : { shown }), [show, isLive, shown]);
  const go = (to: number | undefined): void => {
    replay.pause();
    if (to === undefined) replay.goLive();
    else replay.seek(to);
  };
  const { begin } = useAddress(isLive ? undefined : replay.seq, go);
  const toggle = useToggle(replay, () => setIsNear(true));
  const pauseView = (): void => {
    setIsNear(true);
    if (isLive) replay.seek(run.newest);
  };
  useShortcuts('Replay', [
    { keys: 'p', label: 'Pause the view; the run goes on', run: pauseView },
    { keys: 'l', label: 'Show the run as it is now', run: replay.goLive },
  ]);
  const near = useCallback(() => setIsNear(true), []);
  if (run.isPending && loaded === 0) return null;
  const newest = Math.max(run.newest, replay.last);
  const line = lineOf({ ...replay, newest });
  return (
    <section
      className="replay"
      aria-label="Replay"
      data-state={isLive ? 'live' : 'moment'}
      onPointerEnter={near}
      onFocus={near}
    >
      <p role="status" className="sr-only">
        {isLive ? '' : 'What is shown is a moment of the past.'}
      </p>
      {!isLive && <Moment replay={replay} newest={newest} isEnded={run.isEnded} />}
      {!isLive && <Controls {...controlsOf(replay)} begin={begin} />}
      <div className="replay-line">
        <button type="button" className="replay-play" onClick={toggle}>
          <span aria-hidden="true">{isPlaying ? '‖' : '▶'}</span> {isPlaying ? 'Pause' : 'Play'}
          <span className="sr-only"> the replay</span>
        </button>
        <Slider
          replay={replay}
          line={line}
          newest={newest}
          text={valueText(replay, newest, run.isEnded)}
          begin={begin}
          toggle={toggle}
        />
        <Edge isLive={isLive} isEnded={run.isEnded} isConnected={run.isConnected} goLive={replay.goLive} />
      </div>
    </section>
  );
}

const standing = ({ data, isEnded, isPending, connection }: RunResult) => ({
  newest: data?.seq ?? 0,
  events: data?.events ?? 0,
  isEnded,
  isPending,
  isConnected: connection === 'live',
});

function controlsOf({ marks, rate, skipIdle, step, next, previous, setRate, setSkipIdle }: ReplayResult) {
  return { marks, rate, skipIdle, step, next, previous, setRate, setSkipIdle };
}

/** Plays and pauses. What was not read yet plays as soon as its beginning is here. */
function useToggle(replay: ReplayResult, near: () => void): () => void {
  const [isWanted, setIsWanted] = useState(false);
  const { play, pause, isPlaying, loaded } = replay;
  const isReady = loaded > 0;
  useEffect(() => {
    if (!isWanted || !isReady) return;
    setIsWanted(false);
    play();
  }, [isWanted, isReady, play]);
  const latest = useRef(isPlaying);
  latest.current = isPlaying;
  return () => {
    near();
    if (latest.current) pause();
    else setIsWanted(true);
  };
}

interface EdgeProps {
  readonly isLive: boolean;
  readonly isEnded: boolean;
  /** Cut off, nobody knows what is now. */
  readonly isConnected: boolean;
  readonly goLive: () => void;
}

/** The right end of the line: that what is shown is what is now, or the way there. */
function Edge({ isLive, isEnded, isConnected, goLive }: EdgeProps): ReactElement {
  return (
    <div className="replay-edge" data-state={isLive && !isEnded && isConnected ? 'live' : undefined}>
      {isLive ? (
        <span>{isEnded ? 'End' : isConnected ? '● LIVE' : 'Newest'}</span>
      ) : (
        <button type="button" onClick={goLive}>
          {isEnded ? 'To the end' : 'Go live'}
        </button>
      )}
    </div>
  );
}
