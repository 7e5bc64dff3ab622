export { type AppendFacts, type Commit, decideAppend, type ProducerEntry } from './append.ts';
export { blockAfter, mergeBlocks } from './blocks.ts';
export { buildBlock } from './build-block.ts';
export type * from './log.ts';
export { comparePlaces, formatPlace, matchesQuery, parsePlace, type RunPlace } from './run-query.ts';
