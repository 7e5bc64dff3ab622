import type {
  AgentSpan,
  Approval,
  Command,
  MessageSpan,
  RunSnapshot,
  StepSpan,
  TextSpan,
  ToolSpan,
} from '../protocol/index.ts';

/** What a row shows, told apart by `kind`. */
type Shown =
  | { readonly kind: 'agent'; readonly item: AgentSpan }
  | { readonly kind: 'step'; readonly item: StepSpan }
  | { readonly kind: 'thinking'; readonly item: TextSpan }
  | { readonly kind: 'message'; readonly item: MessageSpan }
  | { readonly kind: 'tool'; readonly item: ToolSpan }
  | { readonly kind: 'activity'; readonly item: RunSnapshot['activities'][number] }
  | { readonly kind: 'approval'; readonly item: Approval }
  | { readonly kind: 'command'; readonly item: Command }
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

/** What entities have in common: when they began, whose they are, and what tells them apart. */
interface Entity {
  readonly id?: string;
  readonly seq?: number;
  readonly startSeq?: number;
  readonly agentId?: string;
  readonly status?: string;
}

interface Entry {
  readonly kind: TimelineRow['kind'];
  readonly item: Entity;
  readonly seq: number;
  /** The agent it stands below; none for the run itself. */
  readonly below: string | undefined;
}

/**
 * Makes rows of snapshots of a run. What it made before it uses again: each step costs time for the rows, and memory for
 * those that changed.
 */
export function timelineOf(): (snapshot: RunSnapshot | undefined, choices: Choices) => readonly TimelineRow[] {
  const known = new WeakMap<object, TimelineRow>();

  function place({ kind, item, seq }: Entry, depth: number, choices: Choices): TimelineRow {
    const before = known.get(item);
    // As the fold tells entities apart. Ids are whatever producers send: joined with a sign, two could be one.
    const key = before?.key ?? JSON.stringify([kind, item.agentId, item.id ?? seq]);
    const isOpen = choices.get(key) ?? isOpenByItself(kind, item);
    if (before?.depth === depth && before.isOpen === isOpen) return before;
    const row = { kind, item, key, seq, depth, isOpen } as unknown as TimelineRow;
    known.set(item, row);
    return row;
  }

  return (snapshot, choices) => {
    const rows: TimelineRow[] = [];
    if (!snapshot) return rows;
    const below = nested(snapshot);
    // By hand, as agents may invoke each other deeper than calls can.
    const levels = [below.get(undefined)?.values()];
    while (levels.length > 0) {
      const next = levels.at(-1)?.next();
      if (!next || next.done) {
        levels.pop();
        continue;
      }
      const row = place(next.value, levels.length - 1, choices);
      rows.push(row);
      if (row.kind === 'agent' && row.isOpen) levels.push(below.get(row.item.id)?.values());
    }
    return rows;
  };
}

/** Thinking is open while it lasts; a tool that failed shows why. Nothing that went wrong is folded away. */
const isOpenByItself = (kind: TimelineRow['kind'], { status }: Entity): boolean =>
  kind === 'thinking' ? status === 'running' : kind !== 'tool' || status === 'failed' || status === 'denied';

/** The entries of a run by the agent they stand below, in the order in which they began. */
function nested(snapshot: RunSnapshot): Map<string | undefined, Entry[]> {
  const { agents, steps, tools } = snapshot;
  const agentsById = new Map(agents.map((agent) => [agent.id, agent]));
  const ownerByCall = new Map(tools.map(({ id, agentId }) => [id, agentId]));
  const entries: Entry[] = [];
  function add<T extends Entity>(
    kind: TimelineRow['kind'],
    items: readonly T[],
    ownerOf: (item: T) => string | undefined = ({ agentId }) => agentId,
  ): void {
    for (const item of items) {
      const { startSeq: seq = item.seq } = item;
      // A step that is only planned has no place yet.
      if (seq !== undefined) entries.push({ kind, item, seq, below: agentsById.get(ownerOf(item) ?? '')?.id });
    }
  }
  // An agent began after the one that invoked it. Where a producer says otherwise, the two could stand below each other.
  add('agent', agents, ({ parentId = '', startSeq }) =>
    (agentsById.get(parentId)?.startSeq ?? startSeq) < startSeq ? parentId : undefined,
  );
  add('step', steps);
  add('thinking', snapshot.reasoning);
  add('message', snapshot.messages);
  add('tool', tools);
  add('activity', snapshot.activities);
  add('approval', snapshot.approvals, ({ toolCallId = '' }) => ownerByCall.get(toolCallId));
  add('command', snapshot.commands, () => undefined);
  // What a row tells of itself is not told twice.
  const told = new Set([...agents, ...steps, ...tools].map(({ status, endSeq }) => status === 'failed' && endSeq));
  add(
    'error',
    snapshot.errors.filter(({ seq }) => !told.has(seq)),
  );
  return Map.groupBy(
    entries.sort((a, b) => a.seq - b.seq),
    ({ below }) => below,
  );
}
