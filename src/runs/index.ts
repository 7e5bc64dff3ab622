export type { WriterCounts } from './counts.ts';
export type { AgentFunction } from './executor.ts';
export {
  type Agent,
  type Cancelled,
  checkAgentName,
  Runs,
  type RunsOptions,
  type Started,
  type StartRequest,
} from './runs.ts';
export { currentRun } from './scope.ts';
