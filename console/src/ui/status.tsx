import './status.css';
import type { ReactElement } from 'react';
import type { ListedRun } from 'telltale/client';
import { Glyph } from 'telltale/react/parts';
import { STATUS_WORDS } from './format.ts';

/** How a run stands: a shape, a word and a colour. */
export function Status({
  status,
  word = STATUS_WORDS[status],
}: {
  status: ListedRun['status'];
  word?: string;
}): ReactElement {
  return (
    <span className="status" data-status={status}>
      <Glyph status={status} /> {word}
    </span>
  );
}
