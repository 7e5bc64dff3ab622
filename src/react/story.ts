/**
 * What works out rows and agents of a run, as one file of its own: there is nothing for it to do before there is a run, so it
 * comes while the server answers.
 */
export { agentsOf } from './agent-counts.ts';
export { timelineOf } from './timeline.ts';
