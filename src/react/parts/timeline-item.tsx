import { type CSSProperties, memo, type ReactElement } from 'react';
import type { TimelineRow } from '../timeline.ts';
import type { ShowRow } from './timeline.tsx';
import { Row, type RowProps } from './timeline-row.tsx';

export interface ItemProps extends RowProps {
  readonly index: number;
  /** How many rows there are. */
  readonly count: number;
  readonly isTarget: boolean;
  /** Where it stands, out of the flow; `undefined` in it. */
  readonly apart: number | undefined;
  readonly show: ShowRow | undefined;
}

/** A row at its place in the list. */
export function Item({ source, row, toggle, index, count, isTarget, apart, show }: ItemProps): ReactElement {
  return (
    // biome-ignore lint/a11y/useSemanticElements: as the list.
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: list items have levels (WAI-ARIA 1.2, 5.4).
    <div
      role="listitem"
      tabIndex={-1}
      aria-posinset={index + 1}
      aria-setsize={count}
      aria-level={row.depth + 1}
      data-slot="timeline-row"
      data-kind={row.kind}
      data-seq={row.seq}
      data-index={index}
      data-target={isTarget ? '' : undefined}
      aria-current={isTarget || undefined}
      data-state={row.isOpen ? 'open' : 'closed'}
      data-status={'status' in row.item ? row.item.status : 'failed'}
      data-agent={row.kind === 'agent' ? row.item.id : 'agentId' in row.item ? row.item.agentId : undefined}
      style={styleOf(row, apart)}
    >
      {show ? <Custom {...{ source, row, toggle, show }} /> : <Plain {...{ source, row, toggle }} />}
    </div>
  );
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
