export type { Chunk, Dialect, Encoder, Place, Selection } from './dialect.ts';
export { native } from './native.ts';
