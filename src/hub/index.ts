export type { ExpectedRequest } from './expectation.ts';
export { Hub, type HubOptions } from './hub.ts';
export type { Permit } from './permit.ts';
export type { RunListRequest } from './run-list-viewer.ts';
export type { Sink, SinkListener } from './sink.ts';
export { findStart, type ManyRequest, type StreamRequest } from './start.ts';
export type { News, WaitRequest } from './waiter.ts';
export { type Ticking, Wheel } from './wheel.ts';
