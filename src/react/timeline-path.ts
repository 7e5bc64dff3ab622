import { deltasOf, type TelltaleEvent } from '../protocol/index.ts';
import type { Entry } from './timeline-branch.ts';
import type { TimelineIndex } from './timeline-index.ts';
import { GROUP, groupKeyOf, type RowKind, type RowPath } from './timeline-row.ts';
import { isShown, type TimelineView } from './timeline-view.ts';

/** What the events of a group of types tell of: the kind of its row, and the field with its id. */
const ENTITIES: Readonly<Record<string, readonly [RowKind, string]>> = {
  tool: ['tool', 'toolCallId'],
  reasoning: ['thinking', 'reasoningId'],
  message: ['message', 'messageId'],
  step: ['step', 'stepId'],
  approval: ['approval', 'approvalId'],
  control: ['command', 'commandId'],
};

/** As `TimelineFold.pathTo`, among what a view shows. */
export function pathIn(
  index: TimelineIndex,
  view: TimelineView,
  target: string | number,
  events: readonly TelltaleEvent[] = [],
): RowPath | undefined {
  const all = [...index.entries()].filter((it) => isFound(it, view));
  const found = typeof target === 'number' ? bySeq(all, target, eventAt(events, target)) : byKey(all, target);
  if (!found) return undefined;
  // From the outside to the inside, as a reader opens them.
  const agents: Entry[] = [];
  for (let at = found.branch?.owner; at; at = at.branch?.owner) agents.unshift(at);
  const closed = agents.filter(({ choice }) => choice === false).map(({ key }) => key);
  found.branch?.show(view, agents.length);
  const { groupedBy: first } = found;
  if (target === (first && groupKeyOf(first.key))) return { key: target, closed };
  if (first && !first.groupChoice) closed.push(groupKeyOf(first.key));
  return { key: found.key, closed };
}

/** An agent that is there only for what stands below it is not what anybody looks for. */
const isFound = ({ kind, item, seq, isTold }: Entry, view: TimelineView): boolean =>
  !isTold && isShown(view, kind, item, seq);

const byKey = (all: readonly Entry[], key: string): Entry | undefined => {
  const own = key.startsWith(GROUP) ? key.slice(GROUP.length) : key;
  return all.find((it) => it.key === own);
};

/** What began or ended with the event, what it tells of, or what began last before it. */
function bySeq(all: readonly Entry[], seq: number, event: TelltaleEvent | undefined): Entry | undefined {
  const own = all.find((it) => it.seq === seq) ?? all.find((it) => it.item.endSeq === seq);
  if (own) return own;
  if (event) {
    const [group = '', agentId] = [event.type.split('.')[0], event.agent?.id];
    const [kind, field] = ENTITIES[group] ?? [];
    const id = field && (event.data as Record<string, unknown>)[field];
    const told =
      kind &&
      all.find((it) => it.kind === kind && it.item.id === id && (kind !== 'tool' || it.item.agentId === agentId));
    if (told) return told;
  }
  const latest = (some: readonly Entry[]) =>
    some.reduce<Entry | undefined>((last, it) => (it.seq <= seq && it.seq > (last?.seq ?? 0) ? it : last), undefined);
  const agentId = event?.agent?.id;
  const mine =
    agentId === undefined
      ? []
      : all.filter(({ kind, item }) => (kind === 'agent' ? item.id : item.agentId) === agentId);
  return latest(mine) ?? latest(all);
}

/** The event with this number, on its own or in a frame of merged ones. */
function eventAt(events: readonly TelltaleEvent[], seq: number): TelltaleEvent | undefined {
  const covers = (it: TelltaleEvent): boolean => (it.first ?? it.seq) <= seq && seq <= it.seq;
  const frame = events.find(covers);
  return frame && deltasOf(frame).find(covers);
}
