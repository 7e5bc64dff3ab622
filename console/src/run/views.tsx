import './views.css';
import { lazy, type ReactElement, Suspense } from 'react';
import { useShortcuts } from '../shell/shortcuts.ts';
import { useLook } from './look.ts';
import type { RunViewName } from './search.ts';
import { Story } from './story.tsx';

const Frames = lazy(() => import('./frames/frames.tsx').then((it) => ({ default: it.Frames })));
const JsonView = lazy(() => import('./json/json.tsx').then((it) => ({ default: it.JsonView })));

const NAMES: Readonly<Record<RunViewName, string>> = { story: 'Story', frames: 'Events', json: 'JSON' };

/** The same log three ways: as the story it tells, event by event, and as the fold of all of it. */
export function Views({ runId }: { readonly runId: string }): ReactElement {
  const { view = 'story', look } = useLook();
  const names = Object.keys(NAMES) as RunViewName[];
  const choose = (name: RunViewName): void => look({ view: name === 'story' ? undefined : name });
  useShortcuts(
    'Views',
    names.map((name, i) => ({ keys: `${i + 1}`, label: NAMES[name], run: () => choose(name) })),
  );
  return (
    <div className="views" data-view={view}>
      <fieldset className="views-choice">
        <legend className="sr-only">View</legend>
        {names.map((name, i) => (
          <button key={name} type="button" aria-pressed={name === view} title={`${i + 1}`} onClick={() => choose(name)}>
            {NAMES[name]}
          </button>
        ))}
      </fieldset>
      <Suspense fallback={<p className="muted">Loading the view…</p>}>
        {view === 'story' ? (
          <Story runId={runId} />
        ) : view === 'frames' ? (
          <Frames runId={runId} />
        ) : (
          <JsonView runId={runId} />
        )}
      </Suspense>
    </div>
  );
}
