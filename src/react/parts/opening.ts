import { useId, useState } from 'react';
import type { Own } from './element.ts';

export interface OpenProps {
  /** Makes it the page's: nothing is automatic then. */
  readonly open?: boolean | undefined;
  /** How it is at first; nothing is automatic then either. */
  readonly defaultOpen?: boolean | undefined;
  /** The reader opened or closed it. Not called for what happens by itself. */
  readonly onOpenChange?: ((open: boolean) => void) | undefined;
  /**
   * How it is until the reader's first own action, which counts from then on: open while there is something to watch
   * (`streaming`), open, or closed.
   */
  readonly autoOpen?: 'streaming' | 'always' | 'never' | undefined;
}

/** Whether something is open, and who decided that. */
export interface Opening {
  readonly isOpen: boolean;
  /** For the button that opens and closes. */
  readonly trigger: Pick<Own, 'type' | 'isOpen' | 'aria-expanded' | 'aria-controls' | 'onClick'>;
  /** For what is opened. */
  readonly content: Pick<Own, 'id' | 'isOpen' | 'hidden' | 'onFocus' | 'onPointerDown'>;
}

export function useOpening(
  { open, defaultOpen, onOpenChange, autoOpen }: OpenProps,
  isStreaming: boolean,
  byDefault: NonNullable<OpenProps['autoOpen']>,
): Opening {
  const [chosen, choose] = useState(defaultOpen);
  const id = useId();
  const auto = autoOpen ?? byDefault;
  const isOpen = open ?? chosen ?? (auto === 'always' || (auto === 'streaming' && isStreaming));
  const toggle = (): void => {
    choose(!isOpen);
    onOpenChange?.(!isOpen);
  };
  // Who reads, selects or tabs in there is not shut out when it ends.
  const keep = (): void => choose(isOpen);
  return {
    isOpen,
    trigger: { type: 'button', isOpen, 'aria-expanded': isOpen, 'aria-controls': id, onClick: toggle },
    content: { id, isOpen, hidden: !isOpen, onFocus: keep, onPointerDown: keep },
  };
}
