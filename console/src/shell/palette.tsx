import './palette.css';
import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, type ReactElement, useId, useState } from 'react';
import { useRuns } from 'telltale/react';
import { visible } from 'telltale/react/parts';
import { Dialog } from '../ui/dialog.tsx';
import { STATUS_WORDS } from '../ui/format.ts';
import { keysShown, useShortcutGroups, useShortcuts } from './shortcuts.ts';

interface Entry {
  readonly label: string;
  readonly note: string;
  readonly run: () => void;
}

/** Everything that can be done or opened here, found by a word of it: ⌘K or Ctrl+K. */
export function Palette(): ReactElement {
  const [isOpen, setOpen] = useState(false);
  useShortcuts('Everywhere', [{ keys: 'Mod+k', label: 'Find what to do or open', run: () => setOpen(true) }]);
  return (
    <>
      <button type="button" className="quiet" onClick={() => setOpen(true)}>
        <span aria-hidden="true">
          ⌕ <kbd>{keysShown('Mod+k')}</kbd>
        </span>
        <span className="sr-only">Find what to do or open</span>
      </button>
      <Dialog title="Do or open" isOpen={isOpen} onClose={() => setOpen(false)}>
        <Finder close={() => setOpen(false)} />
      </Dialog>
    </>
  );
}

/** More are not looked through by eye. */
const MOST = 12;

function Finder({ close }: { close: () => void }): ReactElement {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const id = useId();
  const entries = useEntries();
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = entries
    .filter((it) => words.every((word) => `${it.label} ${it.note}`.toLowerCase().includes(word)))
    .slice(0, MOST);
  const active = Math.min(at, found.length - 1);
  const choose = (entry: Entry | undefined): void => {
    if (!entry) return;
    close();
    entry.run();
  };
  const press = (event: KeyboardEvent): void => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move !== undefined) setAt((active + move + found.length) % Math.max(1, found.length));
    else if (event.key === 'Enter' && !event.nativeEvent.isComposing) choose(found[active]);
    else return;
    event.preventDefault();
  };
  return (
    <div className="palette">
      <input
        role="combobox"
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={active < 0 ? undefined : `${id}-${active}`}
        aria-label="What to do or open"
        placeholder="A run, a screen, an action"
        // biome-ignore lint/a11y/noAutofocus: the dialog was opened to type here.
        autoFocus
        value={text}
        onChange={({ target }) => {
          setText(target.value);
          setAt(0);
        }}
        onKeyDown={press}
      />
      <div role="listbox" id={id} aria-label="Found">
        {found.map((entry, i) => (
          // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the text; `aria-activedescendant` tells which is meant.
          // biome-ignore lint/a11y/useKeyWithClickEvents: as above.
          <div
            key={`${entry.label} ${entry.note}`}
            id={`${id}-${i}`}
            role="option"
            aria-selected={i === active}
            onClick={() => choose(entry)}
          >
            <bdi>{entry.label}</bdi> <span className="muted">{entry.note}</span>
          </div>
        ))}
      </div>
      {found.length === 0 && <p className="muted">Nothing here is called that.</p>}
    </div>
  );
}

/** What keys do here, the screens, and the newest runs. */
function useEntries(): readonly Entry[] {
  const navigate = useNavigate();
  const groups = useShortcutGroups();
  const { data = [] } = useRuns({ limit: 50 });
  return [
    ...groups.flatMap(({ title, shortcuts }) =>
      shortcuts.map(({ label, keys, run }) => ({ label, note: `${title} · ${keysShown(keys)}`, run })),
    ),
    ...data.map(({ runId, agent, status }) => ({
      label: `${visible(agent)} ${runId}`,
      note: `run · ${STATUS_WORDS[status]}`,
      run: () => void navigate({ to: '/runs/$runId', params: { runId } }),
    })),
  ];
}
