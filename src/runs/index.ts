export { agentMiddleware, currentRun, functionMiddleware } from '../adapters/index.ts';
export type { Admit } from './admit.ts';
export { checkAgentName } from './agent-name.ts';
export { AgentSSEEmitter, executionHosts } from './agent-sse-emitter.ts';
export type { Answered, AnswerRequest } from './approvals.ts';
export { checkBudget } from './budget-of.ts';
export type { CommandAnswer, CommandRequest, Commands } from './commands.ts';
export type { WriterCounts } from './counts.ts';
export type { AgentFunction } from './executor.ts';
export { finished } from './finished.ts';
export { ImplicitRuns, type ThreadAppend, type ThreadAppended } from './implicit-runs.ts';
export type { InputReceived, InputRequest } from './inputs.ts';
export type { Agent } from './local-runs.ts';
export { loadPrices, type PricedCall, type PriceFunction, type Prices, type PriceTable } from './prices.ts';
export type { RemoteLine } from './remote-lines.ts';
export type { Appended } from './remote-runs.ts';
export { type Imported, type ImportTarget, RunImport } from './run-import.ts';
export { checkCount, checkRunLimits, type RunLimits } from './run-limits.ts';
export {
  Runs,
  type RunsOptions,
  type Started,
  type StartRequest,
} from './runs.ts';
