export { type Client, type ClientOptions, createClient, type RunOptions } from './client.ts';
export { type ConnectionPhase, IDLE } from './connection-state.ts';
export { eventsBefore } from './events-before.ts';
export type { ThreadSnapshot } from './fold.ts';
export { type FollowOptions, follow } from './follow.ts';
export { LogStore } from './log-store.ts';
export { emptyView, type LogView } from './log-view.ts';
export { Producer, type ProducerOptions } from './producer.ts';
export type {
  About,
  AnswerOutcome,
  Caller,
  CommandOutcome,
  EventPage,
  InputOutcome,
  ListedAgent,
  ListedRun,
  PageQuery,
  RunFilter,
  RunPage,
  StartedRun,
  StartRequest,
} from './requests.ts';
export { errorOf, reach } from './response.ts';
export { type AboutAnswer, Run, type RunView } from './run.ts';
export type { RunListView } from './run-list.ts';
export type { Followed, Sink, Source } from './source.ts';
export { type ConnectionView, Store } from './store.ts';
