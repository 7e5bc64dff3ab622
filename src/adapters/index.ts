export { currentRun, runAs } from './current.ts';
export { agentMiddleware, functionMiddleware } from './wrap.ts';
