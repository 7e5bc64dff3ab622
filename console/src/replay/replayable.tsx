import './replayable.css';
import { lazy, type ReactElement, type ReactNode, Suspense, useState } from 'react';
import { Replaying, type ReplayingProps } from 'telltale/react/replay';

export interface ReplayableProps {
  readonly runId: string;
  readonly children: ReactNode;
}

/** What of a run is shown, where that is a moment of the past. */
export type Moment = ReplayingProps['of'];

const Strip = lazy(() => import('./strip.tsx').catch(() => ({ default: Unavailable })));

/** A run's screen with a strip at its foot, which leads it to any moment of the run. */
export function Replayable({ runId, children }: ReplayableProps): ReactElement {
  const [moment, setMoment] = useState<Moment>();
  return (
    <div className="replayable">
      <Replaying of={moment}>{children}</Replaying>
      <Suspense fallback={<div className="replay" />}>
        <Strip runId={runId} show={setMoment} />
      </Suspense>
    </div>
  );
}

/** The run is shown all the same. */
const Unavailable = (): ReactElement => (
  <p className="replay muted">The replay could not be loaded. Reload the page to try again.</p>
);
