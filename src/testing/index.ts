/** Proofs for stores of your own: run them under your test runner. They assert with `node:assert`. */
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
