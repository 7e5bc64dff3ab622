/** The dialect of the chat door: the answer as it is written, and who works at it (docs/dialects.md). */

import type { KnownEvent } from '../protocol/index.ts';
import { isToolEvent, keyOf, TOOL_EVENTS, ToolCalls } from './entities.ts';
import { foldingDialect } from './folding.ts';
import type { Said } from './said.ts';

/** What a `message` of the chat door tells; `timestamp` is RFC 3339. */
export type ChatUpdate = { readonly timestamp: string } & (
  | { readonly type: 'text'; readonly content: string }
  | { readonly type: 'tool_call'; readonly tool: string; readonly arguments: unknown }
  | { readonly type: 'specialist_update'; readonly specialist: string; readonly status: string }
);

interface Answer {
  agent: string;
  readonly tools: ToolCalls;
  /** Messages that are not the agents' own: what people have said. */
  readonly others: Set<string>;
  /** Messages of which deltas were told: their ends have nothing new. */
  readonly streamed: Set<string>;
  hasText: boolean;
}

export const chat = foldingDialect<Answer>({
  name: 'chat',
  ids: 'run',
  types: [
    ...(['run.started', 'message.started', 'message.delta', 'message.completed', ...TOOL_EVENTS] as const),
    ...(['agent.started', 'agent.completed', 'agent.failed'] as const),
    ...(['approval.requested', 'approval.resolved', 'approval.expired'] as const),
  ],
  begin: () => ({
    ...{ agent: '', hasText: false },
    ...{ tools: new ToolCalls(), others: new Set(), streamed: new Set() },
  }),
  say: (answer, event) => (isToolEvent(event) ? ofTool(answer, event) : framesOf(answer, event)),
  join(one, next) {
    const [first, second] = [textIn(one), textIn(next)];
    return first && second && { event: 'message', data: { ...first, content: first.content + second.content } };
  },
  words: {
    hello: () => [{ event: 'connected', data: { status: 'connected' } }],
    reset: (_stream, reason) => [{ event: 'connected', data: { status: 'connected', reset: reason } }],
    deleted: () => [failed('deleted', 'run_deleted')],
    // One that has only expired may be renewed until the client is back.
    revoked: (_stream, reason) => (reason === 'revoked' ? [failed('revoked', 'access_revoked')] : []),
  },
});

const message = (data: ChatUpdate): Said => ({ event: 'message', data });
const text = (content: string, timestamp: string): Said => message({ type: 'text', content, timestamp });
const update = (specialist: string, status: string, timestamp: string): Said =>
  message({ type: 'specialist_update', specialist, status, timestamp });
const failed = (error: string, code: string): Said => ({ event: 'error', data: { error, code } });

function textIn({ data }: Said): (ChatUpdate & { readonly type: 'text' }) | undefined {
  const told = data as ChatUpdate;
  return told.type === 'text' ? told : undefined;
}

function framesOf(answer: Answer, event: KnownEvent): readonly Said[] {
  const { time } = event;
  const who = event.agent?.name ?? answer.agent;
  switch (event.type) {
    case 'run.started':
      answer.agent = event.data.agent;
      return [];
    case 'message.started': {
      const { messageId, role = 'assistant' } = event.data;
      if (role !== 'assistant') answer.others.add(keyOf(event, messageId));
      return [];
    }
    case 'message.delta': {
      const key = keyOf(event, event.data.messageId);
      if (answer.others.has(key)) return [];
      answer.streamed.add(key);
      answer.hasText = true;
      return [text(event.data.delta, time)];
    }
    case 'message.completed': {
      const { messageId, role = 'assistant', text: whole } = event.data;
      const key = keyOf(event, messageId);
      const isOther = answer.others.delete(key) || role !== 'assistant';
      if (answer.streamed.delete(key) || isOther || !whole) return [];
      answer.hasText = true;
      return [text(whole, time)];
    }
    case 'agent.started':
      return [update(who, 'started', time)];
    case 'agent.completed':
      return [update(who, 'completed', time)];
    case 'agent.failed':
      return [update(who, 'failed', time)];
    case 'approval.requested':
      return [update(who, 'waiting for approval', time)];
    case 'approval.resolved':
      return [update(who, event.data.decision, time)];
    case 'approval.expired':
      return [update(who, 'approval expired', time)];
    case 'run.completed': {
      const { output } = event.data;
      // An agent that only returns its answer has said it, too.
      const said = !answer.hasText && typeof output === 'string' && output !== '' ? [text(output, time)] : [];
      return [...said, { event: 'done', data: { status: 'complete' } }];
    }
    case 'run.failed':
      return [failed(event.data.error.message, event.data.error.code)];
    case 'run.cancelled':
      return [failed('cancelled', 'cancelled')];
    default:
      return [];
  }
}

function ofTool(answer: Answer, event: Parameters<ToolCalls['take']>[0]): readonly Said[] {
  const { begins, ends } = answer.tools.take(event);
  const { time: timestamp } = event;
  const told: Said[] = [];
  if (begins) told.push(message({ type: 'tool_call', tool: begins.name, arguments: begins.args, timestamp }));
  if (ends && event.type === 'tool.denied') told.push(update(ends.name, 'denied', timestamp));
  return told;
}
