import type { ReactElement } from 'react';

const GLYPHS: Readonly<Record<string, string>> = {
  running: '●',
  live: '●',
  'catching-up': '◔',
  reconnecting: '◌',
  offline: '◌',
  lost: '◌',
  paused: '‖',
  requested: '‖',
  overdue: '◌',
  applied: '✓',
  refused: '✕',
  void: '■',
  completed: '✓',
  resolved: '✓',
  failed: '✕',
  denied: '⊘',
  interrupted: '■',
  cancelled: '■',
  expired: '■',
};

/** A shape for how something stands, so that it is never told by colour alone. Words beside it say the same. */
export function Glyph({ status }: { readonly status: string }): ReactElement {
  return (
    <span aria-hidden="true" data-slot="glyph" data-status={status}>
      {GLYPHS[status] ?? '○'}
    </span>
  );
}
