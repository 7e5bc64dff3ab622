import type { ReactElement, ReactNode } from 'react';

/** What is told may be any text, also the name of something that all objects have: these have nothing but these. */
const GLYPHS: Readonly<Record<string, string>> = {
  __proto__: null as never,
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

export interface LineProps {
  readonly status: string;
  readonly name: string;
  readonly children?: ReactNode;
}

/** How something stands, what it is, and what there is to say of it. `of` is what it is a line of. */
export function Line({ of, status, name, children }: LineProps & { readonly of: string }): ReactElement {
  return (
    <>
      <Glyph status={status} /> <bdi data-slot={`${of}-name`}>{name}</bdi>{' '}
      <span data-slot={`${of}-facts`}>{children}</span>
    </>
  );
}
