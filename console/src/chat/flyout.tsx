import './flyout.css';
import { Link } from '@tanstack/react-router';
import { type ReactElement, useEffect, useRef, useSyncExternalStore } from 'react';
import { ConnectionStatus, Plan, Timeline } from 'telltale/react/parts';
import { Budget } from '../hands/budget.tsx';
import { RunCommands } from '../hands/run-commands.tsx';

const wide = matchMedia('(width >= 900px)');
const subscribe = (listener: () => void): (() => void) => {
  wide.addEventListener('change', listener);
  return () => wide.removeEventListener('change', listener);
};
/** There is room for the flyout beside the conversation. */
const useIsWide = (): boolean => useSyncExternalStore(subscribe, () => wide.matches);

interface FlyoutProps {
  readonly runId: string;
  readonly onClose: () => void;
}

/** All that was done for an answer: beside the conversation, which makes room for it; where there is none, a sheet above it. */
export function Flyout(props: FlyoutProps): ReactElement {
  const isWide = useIsWide();
  if (!isWide) return <Sheet {...props} />;
  return (
    <aside className="flyout" aria-labelledby="flyout-title">
      <Story {...props} />
    </aside>
  );
}

/** The browser's own dialog: it keeps the focus inside, gives it back, and Escape closes it. */
function Sheet({ runId, onClose }: FlyoutProps): ReactElement {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (!element.current?.open) element.current?.showModal();
  }, []);
  const close = (): void => element.current?.close();
  return (
    <dialog
      ref={element}
      className="flyout flyout-sheet"
      aria-labelledby="flyout-title"
      // Only then: what is taken away while it is open gives the focus to nobody.
      onClose={onClose}
      // The backdrop is the dialog's own box as far as events are concerned.
      onPointerDown={({ target, currentTarget }) => target === currentTarget && close()}
    >
      <Story runId={runId} onClose={close} />
    </dialog>
  );
}

function Story({ runId, onClose }: FlyoutProps): ReactElement {
  return (
    <div className="flyout-story">
      <header>
        <h2 id="flyout-title">Thinking</h2>
        <button type="button" className="quiet" onClick={onClose} aria-label="Close">
          ✕
        </button>
      </header>
      <ConnectionStatus.Root runId={runId} />
      <Plan.Root runId={runId} />
      <Budget runId={runId} />
      <Timeline.Root runId={runId} className="flyout-timeline">
        <Timeline.Viewport />
        <Timeline.ToEnd />
      </Timeline.Root>
      <RunCommands runId={runId} />
      <footer>
        <Link to="/runs/$runId" params={{ runId }}>
          Open in console
        </Link>
        <Link to="/runs/$runId" params={{ runId }} search={{ view: 'frames' }}>
          Raw frames
        </Link>
      </footer>
    </div>
  );
}
