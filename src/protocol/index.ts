export { Block, type Entry, isVoid, type LazyEntries, VOID } from './block.ts';
export { type BudgetLimits, budgetLimits, parseBudget, strictest } from './budget.ts';
export { type BudgetLimit, type BudgetUse, budgetUsed } from './budget-used.ts';
export {
  type CursorPart,
  cursorOfPart,
  digest,
  formatPart,
  MAX_STREAMS,
  parseComposite,
  streamKey,
} from './composite.ts';
export {
  type Cursor,
  checkWhole,
  type EpochStart,
  formatCursor,
  type Head,
  locate,
  type Position,
  parseCursor,
  type ResetReason,
} from './cursor.ts';
export { jsonDepth } from './depth.ts';
export { type EncodedEvent, type EventContext, encodeEvent, utf8Length } from './encode.ts';
export { ERROR_CODES, type ErrorCode, TelltaleError } from './errors.ts';
export {
  type AgentRef,
  agentRef,
  type Cost,
  type Envelope,
  type ErrorInfo,
  type EventData,
  type EventDraft,
  type EventType,
  eventData,
  eventDraft,
  eventJsonSchemas,
  isKnown,
  type KnownEvent,
  parseDraft,
  type TelltaleEvent,
  type UnknownEvent,
  type Usage,
} from './event.ts';
export {
  eventFrameOffsets,
  type Frame,
  mergedFrameHead,
  writeComment,
  writeEventFrame,
  writeFrame,
  writeRetry,
} from './frame.ts';
export { checkId, ID_PATTERN, isId, spelledId, TYPE_PATTERN } from './ids.ts';
export { isEnded, type RunStatus } from './lifecycle.ts';
export {
  HEARTBEAT_MS,
  LATENESS_MS,
  LEASE_MS,
  LEASE_SECONDS,
  LIMITS,
  type Limits,
  STALLED_MS,
  TIMEOUT_SECONDS,
  WARN_AT,
} from './limits.ts';
export { deltasOf, MERGED_DELTAS, type MergedDeltas } from './merged.ts';
export { parseRunFileHeader, runFileHeaderSchema } from './parse-run-file.ts';
export { type Problem, problemOf } from './problem.ts';
export { newEpoch, newRunId, randomId } from './random-id.ts';
export { reduce, reduceAll } from './reduce.ts';
export { asOneChange, copyOf } from './reduce-spans.ts';
export { type RunFileHeader, runFileHeader } from './run-file.ts';
export * from './snapshot.ts';
export { statusAfter } from './status-after.ts';
export {
  byeFrame,
  caughtUpFrame,
  endedFrame,
  epochOf,
  helloFrame,
  type LeftReason,
  leftFrame,
  listCaughtUpFrame,
  listHelloFrame,
  progressFrame,
  type RevokedReason,
  refusalOf,
  refusedFrame,
  resetFrame,
  revokedFrame,
  runFrame,
  type StreamBye,
  type StreamEnded,
  type StreamHello,
  type StreamProgress,
  type StreamRefused,
  type StreamReset,
  type StreamRevoked,
  snapshotFrame,
} from './stream.ts';
export { isTerminal } from './terminal.ts';
export type {
  ApprovalAnswer,
  ApprovalRequest,
  Body,
  PlanStep,
  RunInput,
  RunWriter,
  TextSource,
  ToolCallRef,
} from './writer.ts';
