import './story.css';
import { type KeyboardEvent, type ReactElement, useCallback, useRef } from 'react';
import { Timeline } from 'telltale/react/parts';
import { useShortcuts } from '../shell/shortcuts.ts';
import { useErrors } from './errors.ts';
import { Row } from './row.tsx';
import { useScene } from './scene.ts';

/** What the run did, in the order in which it did it. */
export function Story({ runId }: { readonly runId: string }): ReactElement {
  const { open } = useScene();
  const errors = useErrors(runId);
  const viewport = useRef<HTMLDivElement>(null);
  useShortcuts('Timeline', [
    { keys: 'j', label: 'To the rows: j and k go down and up, ← and → fold, Enter shows details', run: focusRows },
    { keys: 'k', label: 'To the rows', run: focusRows },
    { keys: 'e', label: 'Next error', run: errors.next },
    { keys: 'Shift+e', label: 'Previous error', run: errors.previous },
  ]);
  const show: Timeline.ShowRow = useCallback(
    (row, toggle, plain) => <Row runId={runId} row={row} toggle={toggle} plain={plain} />,
    [runId],
  );

  /** The first row that is seen whole; from there the timeline's own keys lead. */
  function focusRows(): void {
    const top = viewport.current?.getBoundingClientRect().top ?? 0;
    const rows = [...(viewport.current?.querySelectorAll<HTMLElement>('[data-slot="timeline-row"]') ?? [])];
    const first = rows.find((row) => row.getBoundingClientRect().top >= top) ?? rows[0];
    first?.focus({ preventScroll: true });
  }

  function openOnEnter(pressed: KeyboardEvent<HTMLElement>): void {
    const { seq } = (pressed.target as HTMLElement).querySelector<HTMLElement>(':scope > [data-seq]')?.dataset ?? {};
    if (pressed.key === 'Enter' && seq !== undefined) open(Number(seq));
  }

  return (
    <Timeline.Root runId={runId} className="story">
      <Timeline.Viewport ref={viewport} row={show} onKeyDown={openOnEnter} />
      <Timeline.ToEnd />
    </Timeline.Root>
  );
}
