import type { RevokedReason } from '../protocol/index.ts';

/** Whether whoever watches may go on. Who that is, and how it is decided, is nobody's business here. */
export interface Permit {
  /** Asked before each page of history. A no has been told to whoever watches before. */
  mayGoOn(): boolean | Promise<boolean>;
  /** Calls once when the answer has become no, perhaps at once. Returns what lets go of it. */
  watch(end: (reason: RevokedReason) => void): () => void;
}
