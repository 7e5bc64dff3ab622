import type { AgentSpan, Approval, MessageSpan, RunSnapshot, StepSpan, TextSpan, ToolSpan } from '../protocol/index.ts';

/** What a row shows, told apart by `kind`. */
type Shown =
  | { readonly kind: 'agent'; readonly item: AgentSpan }
  | { readonly kind: 'step'; readonly item: StepSpan }
  | { readonly kind: 'thinking'; readonly item: TextSpan }
  | { readonly kind: 'message'; readonly item: MessageSpan }
  | { readonly kind: 'tool'; readonly item: ToolSpan }
  | { readonly kind: 'activity'; readonly item: RunSnapshot['activities'][number] }
  | { readonly kind: 'approval'; readonly item: Approval }
  | { readonly kind: 'error'; readonly item: RunSnapshot['errors'][number] };

/** One row. The same object as long as it shows the same, so that a memoised component renders only when it changes. */
export type TimelineRow = Shown & {
  /** Stable: for React's `key`, a virtualiser, and the reader's choices. */
  readonly key: string;
  /** How deep it is nested in agents; 0 is the run itself. */
  readonly depth: number;
  /** The number of the event with which it began. */
  readonly seq: number;
  /** An agent shows the rows below it; anything else its details. */
  readonly isOpen: boolean;
};

/** What the reader opened and closed by hand, by row key. It counts more than what a row does by itself. */
export type Choices = ReadonlyMap<string, boolean>;

/** A row that has no place yet. */
interface Entry {
  readonly key: string;
  readonly seq: number;
  readonly agentId: string | undefined;
  readonly shown: Shown;
  row?: TimelineRow;
}

/**
 * Makes rows of snapshots of a run. What it made before it uses again: each step costs time for the rows, and memory for
 * those that changed.
 */
export function timelineOf(): (snapshot: RunSnapshot | undefined, choices: Choices) => readonly TimelineRow[] {
  const known = new WeakMap<object, Entry>();

  function entry(shown: Shown, seq: number, agentId: string | undefined, id: string | number): Entry {
    const before = known.get(shown.item);
    if (before) return before;
    // As the fold tells entities apart. Ids are whatever producers send: joined with a sign, two could be one.
    const key = JSON.stringify(shown.kind === 'agent' ? [shown.kind, id] : [shown.kind, agentId, id]);
    const made: Entry = { key, seq, agentId, shown };
    known.set(shown.item, made);
    return made;
  }

  function place(it: Entry, depth: number, choices: Choices): TimelineRow {
    const isOpen = choices.get(it.key) ?? isOpenByItself(it.shown);
    if (it.row?.depth !== depth || it.row.isOpen !== isOpen) {
      it.row = { ...it.shown, key: it.key, seq: it.seq, depth, isOpen };
    }
    return it.row;
  }

  return (snapshot, choices) => {
    if (!snapshot) return [];
    const below = nested(snapshot, entry);
    const rows: TimelineRow[] = [];
    // By hand, as agents may invoke each other deeper than calls can.
    const levels = [(below.get(undefined) ?? []).values()];
    for (let level = levels.at(-1); level; level = levels.at(-1)) {
      const { value, done } = level.next();
      if (done) {
        levels.pop();
        continue;
      }
      const row = place(value, levels.length - 1, choices);
      rows.push(row);
      if (row.kind === 'agent' && row.isOpen) levels.push((below.get(row.item.id) ?? []).values());
    }
    return rows;
  };
}

/** Thinking is open while it lasts; a tool that failed shows why. Nothing that went wrong is folded away. */
function isOpenByItself({ kind, item }: Shown): boolean {
  if (kind === 'thinking') return item.status === 'running';
  if (kind === 'tool') return item.status === 'failed' || item.status === 'denied';
  return true;
}

type MakeEntry = (shown: Shown, seq: number, agentId: string | undefined, id: string | number) => Entry;

/** The entries of a run by the agent they stand below, in the order in which they began. */
function nested(snapshot: RunSnapshot, entry: MakeEntry): Map<string | undefined, Entry[]> {
  const agents = new Map(snapshot.agents.map((agent) => [agent.id, agent]));
  const toolsByCall = new Map(snapshot.tools.map((tool) => [tool.id, tool]));
  const told = new Set<number | undefined>();
  const entries: Entry[] = [];
  const add = (shown: Shown, seq: number, agentId: string | undefined, id: string | number): void => {
    entries.push(entry(shown, seq, agentId, id));
  };
  for (const item of snapshot.agents) {
    // An agent began after the one that invoked it. Where a producer says otherwise, the two could stand below each other.
    const parent = agents.get(item.parentId ?? '');
    add(
      { kind: 'agent', item },
      item.startSeq,
      parent && parent.startSeq < item.startSeq ? parent.id : undefined,
      item.id,
    );
  }
  for (const item of snapshot.steps) {
    if (item.startSeq !== undefined) add({ kind: 'step', item }, item.startSeq, item.agentId, item.id);
  }
  for (const item of snapshot.reasoning) add({ kind: 'thinking', item }, item.startSeq, item.agentId, item.id);
  for (const item of snapshot.messages) add({ kind: 'message', item }, item.startSeq, item.agentId, item.id);
  for (const item of snapshot.tools) add({ kind: 'tool', item }, item.startSeq, item.agentId, item.id);
  for (const item of snapshot.activities) add({ kind: 'activity', item }, item.seq, item.agentId, item.seq);
  for (const item of snapshot.approvals) {
    add({ kind: 'approval', item }, item.seq, toolsByCall.get(item.toolCallId ?? '')?.agentId, item.id);
  }
  // What a row tells of itself is not told twice.
  for (const { status, endSeq } of [...snapshot.agents, ...snapshot.steps, ...snapshot.tools]) {
    if (status === 'failed') told.add(endSeq);
  }
  for (const item of snapshot.errors) {
    if (!told.has(item.seq)) add({ kind: 'error', item }, item.seq, item.agentId, item.seq);
  }
  const below = new Map<string | undefined, Entry[]>();
  for (const it of entries.sort((a, b) => a.seq - b.seq)) {
    const parent = it.agentId !== undefined && agents.has(it.agentId) ? it.agentId : undefined;
    const siblings = below.get(parent);
    if (siblings) siblings.push(it);
    else below.set(parent, [it]);
  }
  return below;
}
