export { type AppendFacts, type Commit, decideAppend, type ProducerEntry } from './append.ts';
export type { OpenApproval } from './approvals.ts';
export { beginOf } from './begin.ts';
export { blockAfter, indexAfter, mergeBlocks, pageBytes } from './blocks.ts';
export { buildBlock } from './build-block.ts';
export { checkLease } from './check-lease.ts';
export type { OpenCommand } from './commands.ts';
export { foldRun } from './fold-run.ts';
export { ALL_RUNS, Followers } from './followers.ts';
export type * from './log.ts';
export { RemoteLeases } from './remote-leases.ts';
export {
  costOf,
  detailsOf,
  oneLine,
  type RunDetails,
  type RunStep,
  tellsDetails,
  titlesOf,
} from './run-details.ts';
export { comparePlaces, formatPlace, matchesQuery, parsePlace, type RunPlace, statusesOf } from './run-query.ts';
export { type RunSummary, summaryOf } from './run-summary.ts';
export { checkAlive, isAlive, isTombstone, type KnownRun, ownerMark, tombstoneOf } from './tombstone.ts';
export { voidRun } from './void-run.ts';
