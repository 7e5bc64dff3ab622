export type { Chunk, Dialect, Encoder, Place, Selection } from './dialect.ts';
export { native } from './native.ts';
export { selects } from './selection.ts';
