'use client';

export { TelltaleProvider, type TelltaleProviderProps, useTelltale } from './provider.ts';
export type { TimelineRow } from './timeline.ts';
export { type ApprovalResult, useApproval } from './use-approval.ts';
export { type BudgetResult, type LimitUse, useBudget } from './use-budget.ts';
export { type ConnectionResult, useConnection } from './use-connection.ts';
export { type QueuedRun, type QueueResult, useQueue } from './use-queue.ts';
export { type RunHookOptions, type RunResult, useRun } from './use-run.ts';
export { type RunCommand, type RunCommands, useRunCommands } from './use-run-commands.ts';
export { type RunEvents, useRunEvents } from './use-run-events.ts';
export { type RunListResult, useRuns } from './use-runs.ts';
export { type StartRun, useStartRun } from './use-start-run.ts';
export { type SuspenseRunResult, useSuspenseRun } from './use-suspense-run.ts';
export { type Thinking, useThinking } from './use-thinking.ts';
export { type ThreadResult, useThread } from './use-thread.ts';
export { type Timeline, useTimeline } from './use-timeline.ts';
export type { HookOptions, Selecting } from './use-view.ts';
