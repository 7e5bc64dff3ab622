export { agentActivity } from './agent-activity.ts';
export type { Chunk, Dialect, Encoder, Heartbeat, Place, Selection, SpokenStream, StreamWords } from './dialect.ts';
export { type Folding, foldingDialect } from './folding.ts';
export { native } from './native.ts';
export { parseRunCursor, type RunCursor } from './run-cursor.ts';
export type { Said } from './said.ts';
export { selects } from './selection.ts';
export { wordsOf } from './words.ts';
export { workflow } from './workflow.ts';
