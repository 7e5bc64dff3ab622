import './story.css';
import { type KeyboardEvent, type ReactElement, useCallback, useEffect, useRef, useState } from 'react';
import { useRun } from 'telltale/react';
import { Timeline } from 'telltale/react/parts';
import { useShortcuts } from '../shell/shortcuts.ts';
import { useErrors } from './errors.ts';
import { useFinding } from './finding.ts';
import { useLook } from './look.ts';
import { Row } from './row.tsx';
import { useScene } from './scene.ts';
import { StoryTools } from './story-tools.tsx';

/** What the run did, in the order in which it did it. */
export function Story({ runId }: { readonly runId: string }): ReactElement {
  const { open } = useScene();
  const { event, show, step } = useLook();
  const [target, reveal] = useState<string | number>();
  const errors = useErrors(runId);
  const finding = useFinding(runId, reveal);
  const viewport = useRef<HTMLDivElement>(null);
  /** The event that was chosen by its row: that is in sight, and stays where it is. */
  const chosen = useRef<number>(undefined);
  useEffect(() => {
    if (event !== chosen.current) reveal(event);
    chosen.current = undefined;
  }, [event]);
  useShortcuts('Timeline', [
    { keys: 'j', label: 'To the rows: j and k go down and up, ← and → fold, Enter shows details', run: focusRows },
    { keys: 'k', label: 'To the rows', run: focusRows },
    { keys: 'e', label: 'Next error', run: errors.next },
    { keys: 'Shift+e', label: 'Previous error', run: errors.previous },
  ]);
  const choose = useCallback(
    (seq: number): void => {
      chosen.current = seq;
      reveal(undefined);
      open(seq);
    },
    [open],
  );
  const showRow: Timeline.ShowRow = useCallback(
    (row, toggle, plain) => <Row runId={runId} row={row} toggle={toggle} plain={plain} open={choose} />,
    [runId, choose],
  );

  /** The first row that is seen whole; from there the timeline's own keys lead. */
  function focusRows(): void {
    const top = viewport.current?.getBoundingClientRect().top ?? 0;
    const rows = [...(viewport.current?.querySelectorAll<HTMLElement>('[data-slot="timeline-row"]') ?? [])];
    const first = rows.find((row) => row.getBoundingClientRect().top >= top) ?? rows[0];
    first?.focus({ preventScroll: true });
  }

  function openOnEnter({ key, target }: KeyboardEvent<HTMLElement>): void {
    const { slot, kind, seq } = (target as HTMLElement).dataset;
    if (key === 'Enter' && slot === 'timeline-row' && kind !== 'group') choose(Number(seq));
  }

  return (
    <>
      <StoryTools runId={runId} errors={errors} finding={finding} leave={focusRows} />
      <Timeline.Root
        runId={runId}
        className="story"
        show={show}
        step={step}
        reveal={target}
        render={({ children, ...root }, { rows, isPending }) => (
          <div {...root}>
            {rows.length === 0 && <Nothing runId={runId} isPending={isPending} />}
            {children}
          </div>
        )}
      >
        <Timeline.Viewport ref={viewport} row={showRow} onKeyDown={openOnEnter} />
        <Timeline.ToEnd />
      </Timeline.Root>
    </>
  );
}

/** Why there are no rows. */
function Nothing({ runId, isPending }: { readonly runId: string; readonly isPending: boolean }): ReactElement {
  const { show, step, look } = useLook();
  const status = useRun(runId, { select: ({ status }) => status });
  if (isPending) return <p className="story-nothing">Asking the server for this run…</p>;
  if (show !== undefined || step !== undefined) {
    return (
      <p className="story-nothing">
        Nothing in this run is of that kind{status === 'running' && ' yet'}.{' '}
        <button type="button" onClick={() => look({ show: undefined, step: undefined })}>
          Show everything
        </button>
      </p>
    );
  }
  const words =
    status === 'queued'
      ? 'It waits for its turn. What it does will be shown here.'
      : status === 'running'
        ? 'It has begun, and said nothing yet.'
        : 'It ended without saying what it did.';
  return <p className="story-nothing">{words}</p>;
}
