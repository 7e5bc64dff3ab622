export { type AgentActivity, type AgentActivityOptions, AgentActivityService } from './agent-activity.ts';
export { events$ } from './events.ts';
export type { Schedule } from './schedule.ts';
export { connection$, run$, runs$ } from './views.ts';
