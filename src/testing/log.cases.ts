/**
 * What every store has to do, as cases for any test runner: the clauses of `Log`, and of PROTOCOL.md sections 4, 8
 * and 10 as far as they are the log's. A store of your own passes them all, or says which it cannot run and why.
 */
import type { Log } from '../log/index.ts';
import { appendCases } from './log/append.cases.ts';
import { durableCases } from './log/durable.cases.ts';
import { eraseCases } from './log/erase.cases.ts';
import { followCases } from './log/follow.cases.ts';
import { leaseCases } from './log/lease.cases.ts';
import { producerCases } from './log/producer.cases.ts';
import { readCases } from './log/read.cases.ts';
import { runCases } from './log/run.cases.ts';
import { trimCases } from './log/trim.cases.ts';

/** How the cases get at a store and at your test runner. */
export interface LogHarness {
  /** Your runner's `test` or `it`. */
  readonly test: (name: string, body: () => Promise<void>) => void;
  /** Told each case that this store does not run, and why. Show it: `(name, why) => it.skip(`${name} (${why})`)`. */
  readonly skip: (name: string, why: string) => void;
  /** A new, empty place for one store. */
  readonly place: () => Promise<StorePlace>;
  /** Why what was acknowledged is gone after `close` and `open`; absent where it is kept. */
  readonly forgets?: string;
}

/** Where one store keeps its data: a directory, a key prefix, an object in memory. */
export interface StorePlace {
  /** Opens the store here, with all that it was left with. One is open at a time. */
  open(): Promise<Log>;
  /**
   * Ends the store as a crash of its process would, at this moment: nothing is finished or flushed. The next `open`
   * finds what a restarted process would. A copy of the files as they are now, opened in place of them, is as good.
   */
  crash(log: Log): Promise<void>;
  /** Deletes everything. The store is closed by then. */
  remove(): Promise<void>;
}

/** One case: it gets a fresh store, and a way to open it again. */
export interface LogCase {
  readonly name: string;
  /** Needs a store that keeps what it acknowledged. */
  readonly durable?: true;
  readonly run: (log: Log, again: Again) => Promise<void>;
}

/** Closes or crashes the case's store and opens it at the same place. */
export interface Again {
  reopen(): Promise<Log>;
  crash(): Promise<Log>;
}

/** Every case, for runners that want the list. */
export const LOG_CASES: readonly LogCase[] = [
  ...appendCases,
  ...producerCases,
  ...runCases,
  ...leaseCases,
  ...readCases,
  ...followCases,
  ...trimCases,
  ...eraseCases,
  ...durableCases,
];

/**
 * Registers every case with your runner.
 *
 * @example
 * logCases({ test: it, skip: (name, why) => it.skip(`${name} (${why})`), place });
 */
export function logCases(harness: LogHarness): void {
  for (const { name, durable, run } of LOG_CASES) {
    if (durable && harness.forgets !== undefined) harness.skip(name, harness.forgets);
    else harness.test(name, () => withStore(harness, run));
  }
}

/** Runs a body with a store in a place of its own, and clears up behind it. */
export async function withStore(harness: Pick<LogHarness, 'place'>, body: LogCase['run']): Promise<void> {
  const place = await harness.place();
  let log = await place.open();
  const again: Again = {
    async reopen() {
      await log.close();
      log = await place.open();
      return log;
    },
    async crash() {
      await place.crash(log);
      log = await place.open();
      return log;
    },
  };
  try {
    await body(log, again);
  } finally {
    await log.close();
    await place.remove();
  }
}
