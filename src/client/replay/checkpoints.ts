import { copyOf, emptySnapshot, type RunSnapshot } from '../../protocol/index.ts';

/** A run after the event with this index. */
export interface Checkpoint {
  readonly index: number;
  readonly snapshot: RunSnapshot;
}

/** A checkpoint as it is kept: its lists are those of the whole one before it, and what changed from one to the next. */
interface Kept extends Checkpoint {
  readonly isWhole: boolean;
  readonly changes: readonly Change[];
}

/** The entities that a list has, and had not at the checkpoint before, with their places. */
interface Change {
  readonly list: List;
  readonly places: readonly number[];
  readonly entities: readonly unknown[];
}

const LISTS = Object.entries(/* @__PURE__ */ emptySnapshot('')).flatMap(([name, it]) =>
  Array.isArray(it) ? name : [],
) as List[];
type List = {
  [Name in keyof RunSnapshot]-?: RunSnapshot[Name] extends readonly unknown[] ? Name : never;
}[keyof RunSnapshot];

/**
 * Whole checkpoints may hold so many entries of lists for each event. 800 of them beside 50,000 tool calls would be 160 MB;
 * with this all of them are less than a sixth of the events themselves, and a list is put together in 0.2 ms.
 */
const ENTRIES_PER_EVENT = 4;

/** How a run stood every so many events, in memory that grows with the events alone. */
export class Checkpoints {
  readonly #kept: Kept[];
  #whole: Checkpoint;
  #newest: Checkpoint;

  constructor(first: Checkpoint) {
    this.#whole = this.#newest = first;
    this.#kept = [{ ...first, isWhole: true, changes: [] }];
  }

  get newest(): number {
    return this.#newest.index;
  }

  /** Keeps a run as it stands. Nothing in the snapshot may be changed afterwards. */
  add(it: Checkpoint): void {
    const { snapshot, index } = it;
    const changed = LISTS.filter((list) => snapshot[list] !== this.#newest.snapshot[list]);
    const entries = LISTS.reduce(
      (sum, list) => sum + (snapshot[list] === this.#whole.snapshot[list] ? 0 : snapshot[list].length),
      0,
    );
    const before = this.#newest.snapshot;
    this.#newest = it;
    if (entries <= (index - this.#whole.index) * ENTRIES_PER_EVENT) {
      this.#whole = it;
      this.#kept.push({ ...it, isWhole: true, changes: [] });
      return;
    }
    const lists = Object.fromEntries(LISTS.map((list) => [list, this.#whole.snapshot[list]]));
    const changes = changed.map((list) => changeOf(list, before[list], snapshot[list]));
    this.#kept.push({ index, snapshot: { ...snapshot, ...lists }, isWhole: false, changes });
  }

  /** The last checkpoint up to an index. */
  before(index: number): Checkpoint {
    const last = this.#kept.findLastIndex((it) => it.index <= index);
    const whole = this.#kept.findLastIndex((it, i) => i <= last && it.isWhole);
    const { snapshot, index: at } = this.#kept[last] as Kept;
    const lists: Partial<Record<List, unknown[]>> = {};
    for (const { changes } of this.#kept.slice(whole + 1, last + 1)) {
      for (const { list, places, entities } of changes) {
        lists[list] ??= copyOf<unknown>(snapshot[list]);
        const copy = lists[list];
        for (let i = 0; i < places.length; i++) copy[places[i] as number] = entities[i];
      }
    }
    return { index: at, snapshot: { ...snapshot, ...lists } as RunSnapshot };
  }
}

function changeOf(list: List, before: readonly unknown[], after: readonly unknown[]): Change {
  const places: number[] = [];
  for (let i = 0; i < after.length; i++) if (after[i] !== before[i]) places.push(i);
  return { list, places, entities: places.map((i) => after[i]) };
}
