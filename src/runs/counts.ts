/** What agents wrote that could not be stored as it was, since the server started. */
export interface WriterCounts {
  /** Events of which a value was too large. */
  truncated: number;
  /** Events that did not match their type, or that are not the agent's to write. */
  invalid: number;
  /** Events after a run's end, or while its log was gone. */
  dropped: number;
}
