export { type AppendFacts, type Commit, decideAppend, type ProducerEntry } from './append.ts';
export { blockAfter, indexAfter, mergeBlocks } from './blocks.ts';
export { buildBlock } from './build-block.ts';
export { checkLease } from './check-lease.ts';
export { foldRun } from './fold-run.ts';
export { Followers } from './followers.ts';
export type * from './log.ts';
export { comparePlaces, formatPlace, matchesQuery, parsePlace, type RunPlace } from './run-query.ts';
