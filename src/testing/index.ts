/** Proofs for stores and hosts of your own, to run under your test runner, and what judges a delivery. They assert with `node:assert`. */
export {
  type DialectDraft,
  type DialectHarness,
  dialectCases,
  type GoldenTable,
  type SpokenFrame,
} from './dialect.cases.ts';
export { type Fault, type FaultyProxy, faultyProxy } from './faulty-proxy.ts';
export {
  type CheckOptions,
  checkHistory,
  type Finding,
  type HistoryRecord,
  type SeenEvent,
} from './history-checker.ts';
export {
  type Again,
  LOG_CASES,
  type LogCase,
  type LogHarness,
  logCases,
  type StorePlace,
  withStore,
} from './log.cases.ts';
export { logProperties } from './log.properties.ts';
export {
  STREAM_CASES,
  type StreamCase,
  type StreamHarness,
  type StreamHost,
  type StreamNeed,
  streamCases,
} from './stream.cases.ts';
