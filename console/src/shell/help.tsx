import './help.css';
import { type ReactElement, useState } from 'react';
import { Dialog } from '../ui/dialog.tsx';
import { keysShown, useShortcutGroups, useShortcuts } from './shortcuts.ts';

/** Every key that does something here. */
export function Help(): ReactElement {
  const [isOpen, setIsOpen] = useState(false);
  const groups = useShortcutGroups();
  useShortcuts('Everywhere', [{ keys: '?', label: 'What keys do', run: () => setIsOpen(true) }]);
  return (
    <>
      <button type="button" className="quiet" onClick={() => setIsOpen(true)}>
        <span aria-hidden="true">?</span>
        <span className="sr-only">What keys do</span>
      </button>
      <Dialog title="What keys do" isOpen={isOpen} onClose={() => setIsOpen(false)}>
        {groups.map(({ title, shortcuts }, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two groups may have one title, and the list is made anew.
          <section key={i} className="help-group">
            <h3>{title}</h3>
            <dl>
              {shortcuts.map(({ keys, label }) => (
                <div key={keys}>
                  <dt>
                    <kbd>{keysShown(keys)}</kbd>
                  </dt>
                  <dd>{label}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
        <button type="button" onClick={() => setIsOpen(false)}>
          Close
        </button>
      </Dialog>
    </>
  );
}
