/** A run as a file (PROTOCOL.md section 8): a line that says what it is, then one event per line. */
/** Of the form of such a file. */
export const RUN_FILE_VERSION = 1;

/** The first line of a run's file. */
export interface RunFileHeader {
  readonly telltale: 'run';
  readonly version: typeof RUN_FILE_VERSION;
  readonly runId: string;
  readonly threadId: string;
}

export const runFileHeader = (runId: string, threadId: string): RunFileHeader => ({
  telltale: 'run',
  version: RUN_FILE_VERSION,
  runId,
  threadId,
});
