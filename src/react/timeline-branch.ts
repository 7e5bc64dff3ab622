import { durationOf } from './duration.ts';
import {
  type CallGroup,
  type Entity,
  groupKeyOf,
  isOpenByItself,
  type RowKind,
  type TimelineRow,
} from './timeline-row.ts';
import { isShown, type TimelineView } from './timeline-view.ts';

/** From so many alike calls on they are one row. */
const GROUPED = 4;
/** Where rows are made anew from is known to so many entries. */
const MARK_EVERY = 32;

/** An entity of the fold, at its place among what its agent did. */
export interface Entry {
  readonly kind: RowKind;
  /** What tells entries apart that began with the same event: their list, and their place in it. */
  readonly list: number;
  readonly index: number;
  readonly seq: number;
  readonly key: string;
  item: Entity;
  /** The agent below which it stands; the run itself has a branch too. None: it is not there, at this moment of the run. */
  branch: Branch | undefined;
  /** The reader opened or closed it, or the group that begins with it. */
  choice: boolean | undefined;
  groupChoice: boolean | undefined;
  /** Whose it is, where that agent is not there: it stands below the run itself meanwhile. */
  awaits: string | undefined;
  /** A person was asked about this call. */
  isAsked: boolean;
  /** An error that another row tells. */
  isTold: boolean;
  /** Milliseconds, once a group asked for it. */
  ms: number | undefined;
  row: TimelineRow | undefined;
  /** The row of the group that begins with it. */
  group: TimelineRow | undefined;
  /** Its row among those of its branch, −1 without one; and whether it could be part of a group, when that was made. */
  at: number;
  isCall: boolean;
  /** The first call of the group that it is part of now. */
  groupedBy: Entry | undefined;
}

const before = (a: Entry, b: Entry): number => a.seq - b.seq || a.list - b.list || a.index - b.index;

/** Calls alike, one after the other, as far as the making of rows has come. */
interface Calls {
  readonly first: Entry;
  /** The index of its first row. */
  readonly row: number;
  readonly count: number;
  /** Milliseconds; not a number where one of them is not known. */
  readonly ms: number;
  readonly lastSeq: number;
  /** The first few, until they are enough for a group. */
  readonly few: readonly Entry[];
}

/** Where the making of rows can begin again: before a child, with so many rows and agents made. */
interface Mark {
  readonly child: number;
  readonly rows: number;
  readonly agents: number;
  readonly calls: Calls | undefined;
}
const START: Mark = { child: 0, rows: 0, agents: 0, calls: undefined };

/**
 * What an agent, or the run itself, did: its entries in the order in which they began, and their rows. A row that only
 * shows something else is put in its place; beyond that, rows are made anew from the first entry that came, went, or is
 * grouped otherwise: in a run that goes on that is one of the last.
 */
export class Branch {
  /** The agent; none for the run itself. */
  readonly owner: Entry | undefined;
  /** Without those of the agents below. */
  readonly rows: TimelineRow[] = [];
  /** Which rows are agents. */
  readonly agents: number[] = [];
  readonly #children: Entry[] = [];
  /** Each once: nobody looks at the branch of a closed agent, and what happens there meanwhile has no end. */
  readonly #added = new Set<Entry>();
  readonly #touched = new Set<Entry>();
  #hasGone = false;
  readonly #marks: Mark[] = [];
  #view: TimelineView | undefined;
  #depth = 0;

  constructor(owner?: Entry) {
    this.owner = owner;
  }

  add(entry: Entry): void {
    entry.branch = this;
    this.#added.add(entry);
  }

  remove(entry: Entry): void {
    entry.branch = undefined;
    entry.at = -1;
    this.#hasGone = true;
    this.#touched.add(entry);
  }

  /** It changed, or the reader's choice did. */
  touch(entry: Entry): void {
    this.#touched.add(entry);
  }

  /** Those that stand here, in no order. */
  get standing(): readonly Entry[] {
    return [...new Set([...this.#children, ...this.#added])].filter((it) => it.branch === this);
  }

  /** Makes the rows of this branch, as a view shows them at a depth. */
  show(view: TimelineView, depth: number): void {
    const isOther = view !== this.#view || depth !== this.#depth;
    if (!isOther && this.#touched.size === 0 && this.#added.size === 0) return;
    this.#view = view;
    this.#depth = depth;
    const from = this.#order(view, depth);
    if (isOther || from !== undefined) this.#make(view, depth, isOther ? 0 : (from ?? 0));
  }

  /** Takes in what came, went and changed. @returns the child from which on rows are to be made anew. */
  #order(view: TimelineView, depth: number): number | undefined {
    const children = this.#children;
    const [touched, added, hasGone] = [this.#touched, this.#added, this.#hasGone];
    let first: Entry | undefined;
    for (const it of touched) {
      if (it.branch === this && it.at >= 0 && !it.isCall && !isCall(it, view) && isKept(it, view))
        this.rows[it.at] = rowOf(it, depth);
      else if (!first || before(it, first) < 0) first = it;
    }
    let from = first && this.#find(first);
    if (hasGone && from !== undefined) {
      let end = from;
      for (let i = from; i < children.length; i++) {
        const child = children[i] as Entry;
        if (child.branch === this) children[end++] = child;
      }
      children.length = end;
    }
    if (added.size > 0) {
      // Who came and went again is not there.
      const at = this.#merge(hasGone ? [...added].filter((it) => it.branch === this) : [...added]);
      from = Math.min(from ?? at, at);
      added.clear();
    }
    touched.clear();
    this.#hasGone = false;
    return from;
  }

  /** Puts entries in their places. @returns the first of these. */
  #merge(news: Entry[]): number {
    const children = this.#children;
    // Lists of entities are in order, nearly always: this merges a few runs.
    if (news.length > 1) news.sort(before);
    const at = news[0] ? this.#find(news[0]) : children.length;
    const tail = children.splice(at);
    let next = 0;
    for (const it of tail) {
      while (next < news.length && before(news[next] as Entry, it) < 0) children.push(news[next++] as Entry);
      // One that went and came again is there already.
      if (it !== news[next]) children.push(it);
    }
    while (next < news.length) children.push(news[next++] as Entry);
    return at;
  }

  /** The place of an entry, or where it would be. */
  #find(entry: Entry): number {
    const children = this.#children;
    const last = children.at(-1);
    if (!last || before(last, entry) < 0) return children.length;
    let [low, high] = [0, children.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (before(children[middle] as Entry, entry) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #make(view: TimelineView, depth: number, from: number): void {
    const { rows, agents } = this;
    const [children, marks] = [this.#children, this.#marks];
    while ((marks.at(-1)?.child ?? -1) > from) marks.pop();
    const start = marks.at(-1) ?? START;
    rows.length = start.rows;
    agents.length = start.agents;
    let { child: marked, calls } = start;
    for (let i = marked; i < children.length; i++) {
      const child = children[i] as Entry;
      if (i - marked >= MARK_EVERY && (!calls || calls.count >= GROUPED)) {
        marks.push({ child: i, rows: rows.length, agents: agents.length, calls });
        marked = i;
      }
      child.at = -1;
      child.isCall = isCall(child, view);
      if (!isKept(child, view)) continue;
      if (child.isCall) calls = this.#call(child, calls, depth);
      else {
        this.#close(calls, depth);
        calls = undefined;
        if (child.kind === 'agent') agents.push(rows.length);
        this.#push(child, depth);
      }
    }
    this.#close(calls, depth);
  }

  #push(entry: Entry, depth: number): void {
    entry.groupedBy = undefined;
    entry.at = this.rows.length;
    this.rows.push(rowOf(entry, depth));
  }

  /** One more call that may be grouped. @returns those that it belongs to. */
  #call(it: Entry, calls: Calls | undefined, depth: number): Calls | undefined {
    const { rows } = this;
    const first = calls?.first;
    it.ms ??= durationOf(it.item) ?? Number.NaN;
    // What the reader opened by hand is not folded away, unless into a group that the reader opened.
    const isMore = first && isAlike(first, it) && (first.groupChoice || !it.choice);
    if (!isMore) {
      this.#close(calls, depth);
      const row = rows.length;
      this.#push(it, depth);
      return it.choice && !it.groupChoice
        ? undefined
        : { first: it, row, count: 1, ms: it.ms, lastSeq: it.seq, few: [it] };
    }
    const { row, few } = calls;
    const count = calls.count + 1;
    if (count === GROUPED) {
      // Its own row comes when all of them are known.
      rows.length = row;
      rows.push(rowOf(first, depth));
      for (const one of few) this.#inGroup(one, first, depth);
    }
    if (count < GROUPED) this.#push(it, depth);
    else this.#inGroup(it, first, depth);
    return { first, row, count, ms: calls.ms + it.ms, lastSeq: it.seq, few: count < GROUPED ? [...few, it] : few };
  }

  #inGroup(it: Entry, first: Entry, depth: number): void {
    if (first.groupChoice) this.#push(it, depth + 1);
    else it.at = -1;
    it.groupedBy = first;
  }

  /** No more calls follow: enough of them are a group. */
  #close(calls: Calls | undefined, depth: number): void {
    if (calls && calls.count >= GROUPED) this.rows[calls.row] = groupOf(calls, depth);
  }
}

/** Agents are looked at later: they stay for what stands below them. */
const isKept = (it: Entry, view: TimelineView): boolean =>
  !it.isTold && (it.kind === 'agent' || isShown(view, it.kind, it.item, it.seq));

/** A call that may be part of a group: it succeeded, and nobody was asked about it. */
const isCall = ({ kind, item, isAsked }: Entry, { group }: TimelineView): boolean =>
  group && kind === 'tool' && item.status === 'completed' && !isAsked;

const isAlike = ({ item: a }: Entry, { item: b }: Entry): boolean => a.name === b.name && a.agentId === b.agentId;

function rowOf(entry: Entry, depth: number): TimelineRow {
  const { kind, item, key, seq, row } = entry;
  const isOpen = entry.choice ?? isOpenByItself(kind, item);
  if (row?.item === item && row.depth === depth && row.isOpen === isOpen) return row;
  entry.row = { kind, item, key, seq, depth, isOpen } as unknown as TimelineRow;
  return entry.row;
}

function groupOf({ first, count, ms, lastSeq }: Calls, depth: number): TimelineRow {
  const { group: last, seq } = first;
  const { name = '', agentId } = first.item;
  const isOpen = first.groupChoice ?? false;
  if (last?.kind === 'group' && last.depth === depth && last.isOpen === isOpen && last.item.name === name) {
    const { item } = last;
    if (item.count === count && item.lastSeq === lastSeq && Object.is(item.durationMs ?? Number.NaN, ms)) return last;
  }
  const item: CallGroup = {
    name,
    ...(agentId !== undefined && { agentId }),
    status: 'completed',
    count,
    ...(!Number.isNaN(ms) && { durationMs: ms }),
    firstSeq: seq,
    lastSeq,
  };
  first.group = { kind: 'group', item, key: groupKeyOf(first.key), seq, depth, isOpen };
  return first.group;
}
