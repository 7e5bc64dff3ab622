import type { RunSnapshot } from '../protocol/index.ts';
import { Branch, type Entry } from './timeline-branch.ts';
import { type Choices, type Entity, GROUP, groupKeyOf, keyOf, type RowKind, seqOf } from './timeline-row.ts';

/** The lists of the fold that have rows, and of which kind. */
const LISTS = {
  agents: 'agent',
  steps: 'step',
  reasoning: 'thinking',
  messages: 'message',
  tools: 'tool',
  activities: 'activity',
  approvals: 'approval',
  commands: 'command',
  errors: 'error',
} as const satisfies Partial<Record<keyof RunSnapshot, RowKind>>;
const NAMES = Object.keys(LISTS) as (keyof typeof LISTS)[];

/** One of them as it was last seen. */
interface List {
  seen: readonly Entity[];
  /**
   * The entry of each place; none for a step that has not begun. Those beyond `seen` were there at a later moment of the
   * run: they are used again when it comes back.
   */
  readonly entries: (Entry | undefined)[];
}

/**
 * Every entity of a run at its place: below which agent, and what of it others tell. It takes snapshots of any moment of
 * the run, in any order. What did not change is the same object in each of them, so what did is found by one comparison
 * of references per item (100,000: 0.1 ms), and only that costs more.
 */
export class TimelineIndex {
  readonly root = new Branch();
  /** By the id of the agent. */
  readonly branches = new Map<string, Branch>();
  readonly #lists = NAMES.map((): List => ({ seen: [], entries: [] }));
  #choices: Choices = new Map();
  /** Entries whose agent is not there, by its id: it may come yet. */
  readonly #awaiting = new Map<string, Set<Entry>>();
  /** How many spans failed with the event of a number: what they tell, no row of an error tells again. */
  readonly #told = new Map<number, number>();
  readonly #errorAt = new Map<number, Entry>();
  /** The calls that people were asked about, with the agent of each: of the last one, where ids are used twice. */
  #asked = new Map<string, string | undefined>();
  #isNews = false;
  /** What came and went since the last snapshot, and the errors that others may tell now, or no longer. */
  #came: Entry[] = [];
  #left: Entry[] = [];
  #doubtful = new Set<number>();

  /** Takes in another moment of the run, and what the reader chose. @returns whether anything changed. */
  take(snapshot: RunSnapshot, choices: Choices): boolean {
    this.#isNews = false;
    this.#choose(choices);
    for (const [at, name] of NAMES.entries()) this.#compare(at, this.#lists[at] as List, snapshot[name]);
    if (this.#came.length > 0 || this.#left.length > 0) this.#settle();
    for (const seq of this.#doubtful) this.#judge(seq);
    this.#came = [];
    this.#left = [];
    this.#doubtful.clear();
    return this.#isNews;
  }

  /** Every entry that there is, at this moment of the run. */
  *entries(): Generator<Entry> {
    for (const { entries } of this.#lists) for (const it of entries) if (it?.branch) yield it;
  }

  #compare(at: number, list: List, is: readonly Entity[]): void {
    const { seen: was, entries } = list;
    if (is === was) return;
    list.seen = is;
    const shared = Math.min(was.length, is.length);
    for (let i = 0; i < shared; i++) {
      if (was[i] === is[i]) continue;
      const after = is[i] as Entity;
      const entry = entries[i];
      if (entry && isSame(entry, after)) this.#change(entry, after);
      else {
        this.#leave(entry);
        this.#enter(at, i, after);
      }
    }
    for (let i = shared; i < was.length; i++) this.#leave(entries[i]);
    for (let i = shared; i < is.length; i++) this.#enter(at, i, is[i] as Entity);
  }

  #change(entry: Entry, item: Entity): void {
    this.#count(entry, -1);
    entry.item = item;
    entry.ms = undefined;
    this.#count(entry, 1);
    this.#touch(entry);
  }

  #enter(list: number, index: number, item: Entity): void {
    const { entries } = this.#lists[list] as List;
    const known = entries[index];
    let entry: Entry | undefined;
    if (known && isSame(known, item)) {
      entry = known;
      if (known.item !== item) known.ms = undefined;
      known.item = item;
    } else entry = this.#entryOf(list, index, item);
    entries[index] = entry;
    if (!entry) return;
    this.#count(entry, 1);
    this.#came.push(entry);
  }

  #leave(entry: Entry | undefined): void {
    if (!entry?.branch) return;
    this.#count(entry, -1);
    if (entry.kind === 'error') this.#errorAt.delete(entry.seq);
    this.#takeAway(entry);
    this.#left.push(entry);
  }

  #entryOf(list: number, index: number, item: Entity): Entry | undefined {
    const seq = seqOf(item);
    if (seq === undefined) return undefined;
    const kind = LISTS[NAMES[list] as keyof typeof LISTS];
    const key = keyOf(kind, item);
    const hasChoices = this.#choices.size > 0;
    return {
      kind,
      list,
      index,
      seq,
      key,
      item,
      branch: undefined,
      choice: hasChoices ? this.#choices.get(key) : undefined,
      groupChoice: hasChoices && kind === 'tool' ? this.#choices.get(groupKeyOf(key)) : undefined,
      awaits: undefined,
      isAsked: false,
      isTold: false,
      ms: undefined,
      row: undefined,
      group: undefined,
      at: -1,
      isCall: false,
      groupedBy: undefined,
    };
  }

  #touch(entry: Entry): void {
    entry.branch?.touch(entry);
    this.#isNews = true;
  }

  /** One more, or one less, that tells of its failure itself. */
  #count({ kind, item: { status, endSeq }, seq }: Entry, more: number): void {
    if (kind === 'error') this.#doubtful.add(seq);
    if (status !== 'failed' || endSeq === undefined || (kind !== 'agent' && kind !== 'step' && kind !== 'tool')) return;
    const count = (this.#told.get(endSeq) ?? 0) + more;
    if (count > 0) this.#told.set(endSeq, count);
    else this.#told.delete(endSeq);
    this.#doubtful.add(endSeq);
  }

  #judge(seq: number): void {
    const error = this.#errorAt.get(seq);
    const isTold = this.#told.has(seq);
    if (!error || error.isTold === isTold) return;
    error.isTold = isTold;
    this.#touch(error);
  }

  /** Finds places for all that came, and for those whose agent came or went. */
  #settle(): void {
    const { branches } = this;
    this.#isNews = true;
    const homeless: Entry[] = [];
    for (const agent of this.#left) {
      const branch = agent.kind === 'agent' ? branches.get(agent.item.id ?? '') : undefined;
      if (branch?.owner !== agent) continue;
      branches.delete(agent.item.id ?? '');
      homeless.push(...branch.standing);
    }
    for (const it of this.#came) {
      if (it.kind === 'error') this.#errorAt.set(it.seq, it);
      if (it.kind !== 'agent') continue;
      const id = it.item.id ?? '';
      branches.set(id, new Branch(it));
      homeless.push(...(this.#awaiting.get(id) ?? []));
    }
    this.#relate();
    for (const it of this.#came) this.#place(it);
    for (const it of homeless) this.#place(it);
  }

  /** Finds the calls that people are asked about: they stay out of groups, and the questions stand beside them. */
  #relate(): void {
    const [tools, approvals] = [this.#lists[NAMES.indexOf('tools')], this.#lists[NAMES.indexOf('approvals')]] as List[];
    const isOther = ({ kind }: Entry): boolean => kind === 'tool' || kind === 'approval';
    if (!tools || !approvals || (approvals.seen.length === 0 && this.#asked.size === 0)) return;
    const onlyMore = !this.#left.some(isOther) && !this.#came.some(({ kind }) => kind === 'approval');
    const ids = new Set(approvals.seen.map(({ toolCallId }) => toolCallId));
    if (!onlyMore) this.#asked = new Map();
    for (const it of onlyMore ? this.#came : tools.entries.slice(0, tools.seen.length)) {
      if (it?.kind !== 'tool') continue;
      const { id = '', agentId } = it.item;
      const isAsked = ids.has(id);
      if (isAsked) this.#asked.set(id, agentId);
      if (it.isAsked === isAsked) continue;
      it.isAsked = isAsked;
      this.#touch(it);
    }
    for (const it of approvals.entries) if (it?.branch) this.#place(it);
  }

  #place(entry: Entry): void {
    const { kind, item } = entry;
    const owner =
      kind === 'agent' ? item.parentId : kind === 'approval' ? this.#asked.get(item.toolCallId ?? '') : item.agentId;
    const branch = owner === undefined ? undefined : this.branches.get(owner);
    // An agent began after the one that invoked it. Where a producer says otherwise, the two could stand below each other.
    const isBelow = branch && (kind !== 'agent' || (branch.owner?.seq ?? 0) < entry.seq);
    const home = isBelow ? branch : this.root;
    const awaits = isBelow ? undefined : owner;
    if (entry.branch === home && entry.awaits === awaits) return;
    this.#takeAway(entry);
    entry.awaits = awaits;
    if (awaits !== undefined) {
      const others = this.#awaiting.get(awaits);
      if (others) others.add(entry);
      else this.#awaiting.set(awaits, new Set([entry]));
    }
    home.add(entry);
  }

  #takeAway(entry: Entry): void {
    if (entry.awaits !== undefined) this.#awaiting.get(entry.awaits)?.delete(entry);
    entry.awaits = undefined;
    entry.branch?.remove(entry);
  }

  /** Few rows are ever chosen, by hand: they are looked for. */
  #choose(choices: Choices): void {
    const before = this.#choices;
    if (choices === before) return;
    this.#choices = choices;
    for (const key of new Set([...before.keys(), ...choices.keys()])) {
      const choice = choices.get(key);
      if (choice === before.get(key)) continue;
      const isGroup = key.startsWith(GROUP);
      const own = isGroup ? key.slice(GROUP.length) : key;
      const kind = own.slice(0, own.indexOf(':'));
      for (const it of this.#lists[NAMES.findIndex((name) => LISTS[name] === kind)]?.entries ?? []) {
        if (it?.key !== own) continue;
        it[isGroup ? 'groupChoice' : 'choice'] = choice;
        this.#touch(it);
      }
    }
  }
}

/** The entry is of this item, maybe at another moment. */
const isSame = ({ item: a, seq }: Entry, b: Entity): boolean =>
  a.id === b.id &&
  a.agentId === b.agentId &&
  seq === seqOf(b) &&
  a.parentId === b.parentId &&
  a.toolCallId === b.toolCallId;
