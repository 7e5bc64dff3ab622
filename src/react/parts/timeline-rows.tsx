import { type CSSProperties, memo, type ReactElement } from 'react';
import type { TimelineRow } from '../timeline.ts';
import type { Scroller } from './scroller.ts';
import type { ShowRow } from './timeline.tsx';
import { Row, type RowProps } from './timeline-row.tsx';

export interface RowsProps extends Omit<RowProps, 'row'> {
  readonly rows: readonly TimelineRow[];
  /** Those in sight: from this one to the one before that. */
  readonly start: number;
  readonly end: number;
  readonly scroller: Scroller | null;
  /** The key of the row that was asked for. */
  readonly target: string | undefined;
  readonly show: ShowRow | undefined;
}

/**
 * The rows in sight, and the one that has the focus. In the order of the list: React then never moves the row that has
 * the focus, which would lose it.
 */
export function Rows({ rows, start, end, scroller, target, show, source, toggle }: RowsProps): ReactElement[] {
  return indexes(start, end, scroller?.focus.kept ?? -1).map((index) => {
    const row = rows[index] as TimelineRow;
    const apart = index >= start && index < end ? undefined : scroller?.layout.top(index);
    return (
      // biome-ignore lint/a11y/useSemanticElements: as the list.
      // biome-ignore lint/a11y/useAriaPropsSupportedByRole: list items have levels (WAI-ARIA 1.2, 5.4).
      <div
        key={row.key}
        role="listitem"
        tabIndex={-1}
        aria-posinset={index + 1}
        aria-setsize={rows.length}
        aria-level={row.depth + 1}
        data-slot="timeline-row"
        data-kind={row.kind}
        data-seq={row.seq}
        data-index={index}
        data-target={row.key === target ? '' : undefined}
        aria-current={row.key === target || undefined}
        data-state={row.isOpen ? 'open' : 'closed'}
        data-status={'status' in row.item ? row.item.status : 'failed'}
        data-agent={row.kind === 'agent' ? row.item.id : 'agentId' in row.item ? row.item.agentId : undefined}
        style={styleOf(row, apart)}
      >
        {show ? <Custom {...{ source, row, toggle, show }} /> : <Plain {...{ source, row, toggle }} />}
      </div>
    );
  });
}

function indexes(start: number, end: number, kept: number): number[] {
  const all = Array.from({ length: end - start }, (_, i) => start + i);
  if (kept >= 0 && kept < start) all.unshift(kept);
  else if (kept >= end) all.push(kept);
  return all;
}

const Plain = memo(Row);
const Custom = memo(({ show, ...of }: RowProps & { readonly show: ShowRow }) =>
  show(of.row, of.toggle, <Plain {...of} />),
);

/** A row that has the focus stays when the list moves on without it: at its place, out of the flow. */
function styleOf({ depth }: TimelineRow, apart: number | undefined): CSSProperties {
  const style = { display: 'flow-root', '--tt-depth': depth } as CSSProperties;
  return apart === undefined ? style : { ...style, position: 'absolute', top: apart, insetInline: 0 };
}
