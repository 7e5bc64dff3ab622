'use client';

export type { AgentServer } from './agent-server.ts';
export type { AgentExecution, AgentPhase, AgentPlan, AgentState, ThinkingStep } from './agent-state.ts';
export { useAgentStore } from './agent-store.ts';
export { type AgentExecutionControls, useAgentExecution } from './use-agent-execution.ts';
export { useAgentSSE } from './use-agent-sse.ts';
