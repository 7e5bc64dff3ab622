import { type KeyboardEvent, type ReactElement, useRef } from 'react';
import { useRun } from 'telltale/react';
import { visible } from 'telltale/react/parts';
import { useShortcuts } from '../shell/shortcuts.ts';
import { count } from '../ui/format.ts';
import type { Errors } from './errors.ts';
import type { Finding } from './finding.ts';
import { useLook } from './look.ts';
import { SHOWN, type ShownName } from './search.ts';

const NAMES: Readonly<Record<ShownName, string>> = {
  all: 'All',
  thinking: 'Thinking',
  tools: 'Tools',
  errors: 'Errors',
};

export interface StoryToolsProps {
  readonly runId: string;
  readonly errors: Errors;
  readonly finding: Finding;
  /** Back to the rows. */
  readonly leave: () => void;
}

/** What of the story is shown, and what is looked for in it. */
export function StoryTools({ runId, errors, finding, leave }: StoryToolsProps): ReactElement {
  const { show = 'all', look } = useLook();
  return (
    <div className="story-tools">
      <fieldset>
        <legend className="sr-only">What is shown</legend>
        {SHOWN.map((name) => (
          <button
            key={name}
            type="button"
            aria-pressed={show === name}
            onClick={() => look({ show: name === 'all' ? undefined : name })}
          >
            {NAMES[name]}
            {name === 'errors' && errors.count > 0 && <span className="story-errors"> {count(errors.count)}</span>}
          </button>
        ))}
      </fieldset>
      <OnlyStep runId={runId} />
      <Find finding={finding} leave={leave} />
    </div>
  );
}

/** That one step is all that is shown, and the way back. */
function OnlyStep({ runId }: { readonly runId: string }): ReactElement | null {
  const { step, look } = useLook();
  const name = useRun(runId, { select: ({ data }) => data?.steps.find(({ id }) => id === step)?.name });
  if (step === undefined) return null;
  return (
    <button type="button" className="story-step" onClick={() => look({ step: undefined })}>
      Only: <bdi>{visible(name ?? step)}</bdi> <span aria-hidden="true">✕</span>
      <span className="sr-only">Show all steps</span>
    </button>
  );
}

function Find({ finding, leave }: Pick<StoryToolsProps, 'finding' | 'leave'>): ReactElement {
  const { text, set, standing, hasMatches, go } = finding;
  const input = useRef<HTMLInputElement>(null);
  useShortcuts('Find', [
    { keys: '/', label: 'Find in this run', run: () => input.current?.select() },
    { keys: 'n', label: 'Next place where it was found', run: () => go(1) },
    { keys: 'Shift+n', label: 'Place before', run: () => go(-1) },
  ]);
  const press = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Enter') go(event.shiftKey ? -1 : 1);
    else if (event.key === 'Escape') {
      set('');
      leave();
    } else return;
    event.preventDefault();
  };
  return (
    <search className="find">
      <input
        ref={input}
        type="search"
        aria-label="Find in this run"
        placeholder="Find  /"
        value={text}
        onChange={({ target }) => set(target.value)}
        onKeyDown={press}
      />
      <output>{standing}</output>
      {hasMatches && (
        <>
          <button type="button" className="quiet" onClick={() => go(-1)} title="Shift+Enter">
            <span aria-hidden="true">↑</span>
            <span className="sr-only">Place before</span>
          </button>
          <button type="button" className="quiet" onClick={() => go(1)} title="Enter">
            <span aria-hidden="true">↓</span>
            <span className="sr-only">Next place</span>
          </button>
        </>
      )}
    </search>
  );
}
