import {
  comparePlaces,
  formatPlace,
  isAlive,
  type KnownRun,
  matchesQuery,
  parsePlace,
  type RunPlace,
  type RunQuery,
  type RunRecord,
} from '../index.ts';
import { listRanges, placeOf, runKey } from './keys.ts';
import type { Store } from './store.ts';
import type { StoredRun } from './stored.ts';

const CHUNK = 100;

/** Lists runs newest first: those of the archive, with those that memory knows better put in their places. */
export async function listRuns(
  store: Store,
  query: RunQuery,
): Promise<{ readonly runs: readonly RunRecord[]; readonly next?: string }> {
  const before = query.before === undefined ? undefined : parsePlace(query.before);
  const inMemory = new Map<string, KnownRun>();
  for (const layer of [...store.layers].reverse()) for (const [runId, run] of layer.runs) inMemory.set(runId, run);
  const recent = [...inMemory.values()]
    .filter(isAlive)
    .filter((run) => matchesQuery(query, run) && (!before || comparePlaces(run, before) < 0))
    .sort((a, b) => comparePlaces(b, a));

  const runs: RunRecord[] = [];
  const done = () => runs.length > query.limit;
  const take = (run: RunRecord) => !done() && runs.push(store.fenced(run));
  const takeRecent = (until?: RunRecord) => {
    while (recent[0] && (!until || comparePlaces(recent[0], until) > 0)) take(recent.shift()!);
  };
  for await (const run of archived(store, query, before, inMemory)) {
    takeRecent(run);
    take(run);
    if (done()) break;
  }
  takeRecent();
  // One more than asked for was found: there is a next page.
  if (!done()) return { runs };
  const page = runs.slice(0, query.limit);
  return { runs: page, next: formatPlace(page[page.length - 1]!) };
}

async function* archived(
  store: Store,
  query: RunQuery,
  before: ReturnType<typeof parsePlace> | undefined,
  inMemory: ReadonlyMap<string, KnownRun>,
): AsyncGenerator<RunRecord> {
  let chunk: string[] = [];
  const records = async () => {
    const stored = await store.archive.getMany<StoredRun>(chunk.map(runKey));
    chunk = [];
    const records = stored.flatMap((run) => run?.record ?? []);
    return records.filter(isAlive).filter((record) => matchesQuery(query, record));
  };
  const lists = listRanges(query, before).map(({ gt, lt }) => store.archive.keys(gt, lt, true));
  for await (const { runId } of newestOf(lists)) {
    if (inMemory.has(runId)) continue;
    chunk.push(runId);
    if (chunk.length === CHUNK) yield* await records();
  }
  yield* await records();
}

/** The places in several lists as those of one. A run that moved from one to another meanwhile comes once. */
async function* newestOf(lists: readonly AsyncIterable<string>[]): AsyncGenerator<RunPlace> {
  const iterators = lists.map((list) => list[Symbol.asyncIterator]());
  const next = async (iterator: AsyncIterator<string>) => {
    const { value, done } = await iterator.next();
    return done ? [] : [{ iterator, place: placeOf(value) }];
  };
  try {
    let fronts = (await Promise.all(iterators.map(next))).flat();
    let last: RunPlace | undefined;
    while (fronts.length > 0) {
      const newest = fronts.reduce((a, b) => (comparePlaces(a.place, b.place) < 0 ? b : a));
      if (!last || comparePlaces(newest.place, last) !== 0) yield newest.place;
      last = newest.place;
      fronts = [...fronts.filter((it) => it !== newest), ...(await next(newest.iterator))];
    }
  } finally {
    await Promise.all(iterators.map((it) => it.return?.()));
  }
}
