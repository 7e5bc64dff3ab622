import type { ReactElement } from 'react';
import type { TimelineRow } from 'telltale/react';
import { visible } from 'telltale/react/parts';
import { Initials } from './initials.tsx';
import { laneOf } from './lane.ts';
import { useScene } from './scene.ts';
import { outlineOf } from './subject.ts';
import { ToolRow } from './tool-row.tsx';
import { When } from './when.tsx';

export interface RowProps {
  readonly runId: string;
  readonly row: TimelineRow;
  readonly toggle: (row: TimelineRow) => void;
  /** As the library shows it. */
  readonly plain: ReactElement;
  /** Shows the details of an event. */
  readonly open: (seq: number) => void;
}

/** A row of the timeline: when, whose, what, and the way to its details. */
export function Row({ runId, row, toggle, plain, open }: RowProps): ReactElement {
  const { agents, event } = useScene();
  const { kind, item, seq, isOpen } = row;
  const { agentId = '', askedAt, startedAt = askedAt, name = kind } = outlineOf(row);
  const agent = kind === 'agent' ? item : agents.get(agentId);
  return (
    <div className="row" data-selected={event === seq || undefined} data-lane={agent && laneOf(agent.name)}>
      <When time={startedAt} seq={seq} />
      <div className="row-body">
        {kind === 'agent' && <Initials name={item.name} />}
        {kind === 'tool' ? (
          <ToolRow runId={runId} tool={item} isOpen={isOpen} flip={() => toggle(row)} />
        ) : (
          <div className="row-plain">{plain}</div>
        )}
      </div>
      {/* In no tab order: Enter on the row does the same. A group has no details but its calls. */}
      {kind !== 'group' && (
        <button type="button" className="row-detail" tabIndex={-1} onClick={() => open(seq)}>
          <span aria-hidden="true">›</span>
          <span className="sr-only">Details of {visible(name)}</span>
        </button>
      )}
    </div>
  );
}
