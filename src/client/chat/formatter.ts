import type { ChatUpdate } from '../../dialects/index.ts';
import { writeFrame } from '../../protocol/index.ts';

type Update<Type> = ChatUpdate & { readonly type: Type };

const now = (): string => new Date().toISOString();

/**
 * Frames of the chat door, for a server that stands in for it: in tests of a page, or beside Telltale.
 *
 * @example
 * response.write(SSEFormatter.formatMessage('message', SSEFormatter.text('Well.')));
 */
export const SSEFormatter = {
  /** @throws {TelltaleError} `internal` for a name that is none. */
  formatMessage: (event: string, data: object): string => writeFrame({ event, data: JSON.stringify(data) }),
  text: (content: string): Update<'text'> => ({ type: 'text', content, timestamp: now() }),
  toolCall: (tool: string, args: unknown): Update<'tool_call'> => ({
    ...{ type: 'tool_call', tool },
    arguments: args,
    timestamp: now(),
  }),
  specialistUpdate: (specialist: string, status: string): Update<'specialist_update'> => ({
    ...{ type: 'specialist_update', specialist, status },
    timestamp: now(),
  }),
} as const;
