import type { AgentSpan, RunSnapshot, TelltaleEvent } from '../protocol/index.ts';
import type { Branch, Entry } from './timeline-branch.ts';
import { TimelineIndex } from './timeline-index.ts';
import { pathIn } from './timeline-path.ts';
import type { Choices, RowPath, TimelineRow } from './timeline-row.ts';
import { isPartial, isShown, type TimelineOptions, type TimelineView, viewsOf } from './timeline-view.ts';

export type { CallGroup, Choices, TimelineRow } from './timeline-row.ts';
export type { TimelineOptions } from './timeline-view.ts';

/** Makes rows of snapshots of a run, of any moment of it. */
export interface TimelineFold {
  (snapshot: RunSnapshot | undefined, choices: Choices, options?: TimelineOptions): readonly TimelineRow[];
  /**
   * The row with a key, or the one that tells of an event, by its number: its own, else that of what it belongs to, else
   * the nearest before it. `undefined` where there is none in what was shown last.
   *
   * @param events those that are known, to tell what the event belongs to.
   */
  pathTo(target: string | number, events?: readonly TelltaleEvent[]): RowPath | undefined;
}

const NONE: readonly TimelineRow[] = [];

/**
 * Makes rows of snapshots of a run. What it made before it uses again, whether the next snapshot is of a later moment or
 * of an earlier one: each step costs for what changed, and one copy of a list of references.
 */
export function timelineOf(): TimelineFold {
  const index = new TimelineIndex();
  const viewOf = viewsOf();
  let shown: TimelineView | undefined;
  let rows = NONE;
  let last = 0;
  function rowsOf(
    snapshot: RunSnapshot | undefined,
    choices: Choices,
    options: TimelineOptions = {},
  ): readonly TimelineRow[] {
    if (!snapshot) return NONE;
    const view = viewOf(options, snapshot.steps);
    last = snapshot.seq;
    if (!index.take(snapshot, choices) && view === shown) return rows;
    shown = view;
    rows = assembled(index, view, rows);
    return rows;
  }
  return Object.assign(rowsOf, {
    pathTo: (target: string | number, events?: readonly TelltaleEvent[]) =>
      shown && !(typeof target === 'number' && target > last) ? pathIn(index, shown, target, events) : undefined,
  });
}

interface Level {
  readonly branch: Branch;
  /** How many rows there were before. */
  readonly began: number;
  row: number;
  agent: number;
}

/**
 * All rows: those of the run, and after each open agent those of what it did. Written over a copy of those before: most are
 * the same, and a list of 100,000 that grows row by row is copied a dozen times. The same list where nothing differs.
 */
function assembled(
  { root, branches }: TimelineIndex,
  view: TimelineView,
  before: readonly TimelineRow[],
): readonly TimelineRow[] {
  const rows = before.slice();
  let count = 0;
  let isOther = false;
  const isPart = isPartial(view);
  // By hand, as agents may invoke each other deeper than calls can.
  const levels: Level[] = [];
  function enter(branch: Branch): void {
    branch.show(view, levels.length);
    levels.push({ branch, began: count, row: 0, agent: 0 });
  }
  enter(root);
  for (let level = levels.at(-1); level; level = levels.at(-1)) {
    const { branch, began } = level;
    const agent = branch.agents[level.agent++];
    const end = agent === undefined ? branch.rows.length : agent + 1;
    for (let i = level.row; i < end; i++, count++) {
      const row = branch.rows[i] as TimelineRow;
      if (rows[count] === row) continue;
      rows[count] = row;
      isOther = true;
    }
    level.row = end;
    if (agent === undefined) {
      levels.pop();
      if (isPart && branch.owner && count === began && !isKept(branch.owner, view)) count--;
      continue;
    }
    const row = branch.rows[agent] as TimelineRow;
    const below = branches.get((row.item as AgentSpan).id) as Branch;
    if (row.isOpen) enter(below);
    else if (isPart && !hasKept(branches, below, view)) count--;
  }
  if (!isOther && count === before.length) return before;
  rows.length = count;
  return rows;
}

const isKept = ({ kind, item, seq }: Entry, view: TimelineView): boolean => isShown(view, kind, item, seq);

/** Whether a closed agent, or anything below it, is shown by this view. */
function hasKept(branches: TimelineIndex['branches'], closed: Branch, view: TimelineView): boolean {
  const all = [closed];
  for (let branch = all.pop(); branch; branch = all.pop()) {
    for (const { kind, item, seq, isTold } of branch.standing) {
      if (!isTold && isShown(view, kind, item, seq)) return true;
      const below = kind === 'agent' && branches.get(item.id ?? '');
      if (below) all.push(below);
    }
    if (branch.owner && isKept(branch.owner, view)) return true;
  }
  return false;
}
