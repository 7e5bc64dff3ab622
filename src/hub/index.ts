export { Hub, type HubOptions } from './hub.ts';
export type { Sink, SinkListener } from './sink.ts';
export type { StreamRequest } from './start.ts';
