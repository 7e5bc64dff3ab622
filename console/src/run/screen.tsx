import './screen.css';
import './side.css';
import { getRouteApi } from '@tanstack/react-router';
import { type ReactElement, useCallback, useState } from 'react';
import { Announcer } from 'telltale/react/parts';
import { Queue } from '../hands/queue.tsx';
import { Say } from '../hands/say.tsx';
import { Waiting } from '../hands/waiting.tsx';
import { Replayable } from '../replay/replayable.tsx';
import { Agents } from './agents.tsx';
import { Answer } from './answer.tsx';
import { Detail } from './detail.tsx';
import { Facts } from './facts.tsx';
import { Header } from './header.tsx';
import { Input } from './input.tsx';
import { useLook } from './look.ts';
import { Missing } from './missing.tsx';
import { SceneContext, useSceneOf } from './scene.ts';
import { Steps } from './steps.tsx';
import { useTab } from './tab.ts';
import { Views } from './views.tsx';

const route = getRouteApi('/runs/$runId');

/** One run: what it did, does, and asks. */
export function RunScreen(): ReactElement {
  const { runId } = route.useParams();
  // Of another run nothing stays: what was folded, chosen or scrolled to belongs to this one.
  return (
    <Replayable key={runId} runId={runId}>
      <Missing runId={runId}>
        <Run runId={runId} />
      </Missing>
    </Replayable>
  );
}

const PANES = { plan: 'Plan', story: 'Timeline', detail: 'Details' } as const;
type Pane = keyof typeof PANES;

function Run({ runId }: { readonly runId: string }): ReactElement {
  const { event, step, view, look } = useLook();
  /** Which of them a narrow screen shows; a wide one has room for all. */
  const [pane, setPane] = useState<Pane>('story');
  /** What the pane was chosen for. */
  const [before, setBefore] = useState({ event, step });
  if (before.event !== event || before.step !== step) {
    setBefore({ event, step });
    // A step or an agent that is chosen in the plan is shown in the timeline.
    if (pane === 'plan') setPane('story');
  }
  useTab(runId);
  const open = useCallback(
    (seq: number): void => {
      look({ event: seq });
      setPane('detail');
    },
    [look],
  );
  const scene = useSceneOf(runId, event, open);
  const shown = pane === 'detail' && event === undefined ? 'story' : pane;
  return (
    <SceneContext value={scene}>
      <div className="run" data-pane={shown} data-detail={event === undefined ? 'closed' : 'open'}>
        <Header runId={runId} />
        <fieldset className="run-panes">
          <legend className="sr-only">Parts of the run</legend>
          {Object.entries(PANES).map(([name, title]) => (
            <button
              key={name}
              type="button"
              aria-pressed={shown === name}
              disabled={name === 'detail' && event === undefined}
              onClick={() => setPane(name as Pane)}
            >
              {title}
            </button>
          ))}
        </fieldset>
        <aside className="run-side" aria-label="Plan, agents and budget">
          <Steps runId={runId} />
          <Agents runId={runId} />
          <Facts runId={runId} />
          <Input runId={runId} />
        </aside>
        <section className="run-main" aria-label="What it says and does">
          <Waiting runId={runId} />
          <Queue runId={runId} />
          {view === undefined && <Answer runId={runId} />}
          <Views runId={runId} />
          <Say runId={runId} />
        </section>
        {event !== undefined && <Detail runId={runId} seq={event} />}
        <Announcer runId={runId} />
      </div>
    </SceneContext>
  );
}
