/** What dialects have to remember of a run: what is streamed in parts, and what its end leaves out. */
import type { AgentRef, KnownEvent } from '../protocol/index.ts';

/** Ids repeat between agents: an entity is known by the invocation and its id. */
export const keyOf = ({ agent }: Pick<KnownEvent, 'agent'>, id: string): string => JSON.stringify([agent?.id, id]);

/** Texts that come in deltas, until they are whole. */
export class Texts {
  readonly #open = new Map<string, string>();

  add(key: string, delta: string): void {
    this.#open.set(key, (this.#open.get(key) ?? '') + delta);
  }

  /** The whole text, which is `text` where its end says it; it is forgotten then. */
  complete(key: string, text: string | undefined): string {
    const streamed = this.#open.get(key) ?? '';
    this.#open.delete(key);
    return text ?? streamed;
  }
}

/** A call of a tool, once its arguments are whole. */
export interface ToolCall {
  readonly toolCallId: string;
  readonly name: string;
  readonly args: unknown;
  /** Who calls; absent: the run itself. */
  readonly agent?: AgentRef;
}

/** Tool calls that have not ended. Their clients want whole arguments: a call is told by `called`, or late, by its end. */
export class ToolCalls {
  readonly #open = new Map<string, { name: string; argsText: string; call?: ToolCall }>();

  /** A `tool.*` event. @returns the call that begins for the clients, and whether it ends. */
  take(event: KnownEvent & { readonly type: ToolEventType }): { readonly begins?: ToolCall; readonly ends?: ToolCall } {
    const { toolCallId } = event.data;
    const key = keyOf(event, toolCallId);
    const open = this.#open.get(key) ?? { name: toolCallId, argsText: '' };
    if ('name' in event.data && event.data.name !== undefined) open.name = event.data.name as string;
    this.#open.set(key, open);
    switch (event.type) {
      case 'tool.started':
      case 'tool.progress':
        return {};
      case 'tool.args.delta':
        open.argsText += event.data.delta;
        return {};
      case 'tool.called': {
        const begins = callOf(event, open.name, event.data.args);
        if (open.call) return {};
        open.call = begins;
        return { begins };
      }
      default: {
        this.#open.delete(key);
        if (open.call) return { ends: open.call };
        const call = callOf(event, open.name, parsed(open.argsText));
        return { begins: call, ends: call };
      }
    }
  }

  /** Those whose beginning was told and that nothing will end any more. */
  interrupt(): readonly ToolCall[] {
    const calls = [...this.#open.values()].flatMap(({ call }) => call ?? []);
    this.#open.clear();
    return calls;
  }
}

export const TOOL_EVENTS = [
  ...(['tool.started', 'tool.args.delta', 'tool.called', 'tool.progress'] as const),
  ...(['tool.completed', 'tool.failed', 'tool.denied'] as const),
];
export type ToolEventType = (typeof TOOL_EVENTS)[number];

export const isToolEvent = (event: KnownEvent): event is KnownEvent & { readonly type: ToolEventType } =>
  (TOOL_EVENTS as readonly string[]).includes(event.type);

function callOf(event: KnownEvent & { readonly type: ToolEventType }, name: string, args: unknown): ToolCall {
  const { agent, data } = event;
  return { toolCallId: data.toolCallId, name, args, ...(agent && { agent }) };
}

/** Arguments that were streamed are JSON; what is none is passed on as it came. */
function parsed(text: string): unknown {
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
