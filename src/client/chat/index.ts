export type { ChatUpdate } from '../../dialects/index.ts';
export { SSEFormatter } from './formatter.ts';
export { type SSEHandlers, SSEService, type SSEServiceOptions } from './sse-service.ts';
export { type StreamChatOptions, streamChat } from './stream-chat.ts';
