import { type ReactElement, type ReactNode, useEffect, useId, useRef } from 'react';

export interface DialogProps {
  readonly title: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** A dialog above the page, the browser's own: it traps the focus, gives it back, and Escape closes it. */
export function Dialog({ title, isOpen, onClose, children }: DialogProps): ReactElement {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    if (isOpen) element.current?.showModal();
    else element.current?.close();
  }, [isOpen]);
  return (
    <dialog
      ref={element}
      aria-labelledby={id}
      onClose={onClose}
      // The backdrop is the dialog's own box as far as events are concerned.
      onPointerDown={({ target, currentTarget }) => target === currentTarget && onClose()}
    >
      <h2 id={id}>{title}</h2>
      {isOpen && children}
    </dialog>
  );
}
