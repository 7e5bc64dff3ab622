import type { StepSpan } from '../protocol/index.ts';
import type { Entity, RowKind } from './timeline-row.ts';

/** Which rows of a run are shown, and how. */
export interface TimelineOptions {
  /**
   * `thinking`, `tools` (with the questions about them) or `errors` alone: all that failed, was denied or refused. Agents
   * stay as far as rows below them do. Default `all`.
   */
  readonly show?: 'all' | 'thinking' | 'tools' | 'errors' | undefined;
  /** The id of a step: only what began while it went on. */
  readonly step?: string | undefined;
  /**
   * Four or more calls of one tool by one agent, one after the other, all of which succeeded, are one row that opens to
   * them. Whatever failed, was denied, was asked about or goes on stays a row of its own. Default `true`.
   */
  readonly group?: boolean | undefined;
}

/** The options, worked out for a snapshot. The same object as long as they say the same. */
export interface TimelineView {
  readonly show: NonNullable<TimelineOptions['show']>;
  readonly group: boolean;
  /** Numbers of events, both included. */
  readonly from: number;
  readonly to: number;
}

/** Makes views: another one only where it says something else. */
export function viewsOf(): (options: TimelineOptions, steps: readonly StepSpan[]) => TimelineView {
  let last: TimelineView = { show: 'all', group: true, from: 0, to: Number.POSITIVE_INFINITY };
  return ({ show = 'all', step, group = true }, steps) => {
    let [from, to] = [0, Number.POSITIVE_INFINITY];
    if (step !== undefined) {
      const span = steps.find(({ id }) => id === step);
      // Of what has not begun nothing has happened.
      from = span?.startSeq ?? to;
      to = span?.endSeq ?? to;
    }
    if (last.show !== show || last.group !== group || last.from !== from || last.to !== to) {
      last = { show, group, from, to };
    }
    return last;
  };
}

/** Rows may be missing: agents are shown as far as others stand below them. */
export const isPartial = ({ show, from, to }: TimelineView): boolean =>
  show !== 'all' || from > 0 || to !== Number.POSITIVE_INFINITY;

export function isShown(view: TimelineView, kind: RowKind, item: Entity, seq: number): boolean {
  if (seq < view.from || seq > view.to) return false;
  switch (view.show) {
    case 'all':
      return true;
    case 'thinking':
      return kind === 'thinking';
    case 'tools':
      return kind === 'tool' || (kind === 'approval' && 'toolCallId' in item);
    case 'errors':
      return kind === 'error' || item.error !== undefined || item.status === 'failed' || item.status === 'denied';
  }
}
