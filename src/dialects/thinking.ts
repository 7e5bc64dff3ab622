/** The dialect of the thinking door: a turn of a conversation, in lines of text (docs/dialects.md). */
import { isTerminal, type KnownEvent } from '../protocol/index.ts';
import { isToolEvent, keyOf, TOOL_EVENTS, type ToolEventType } from './entities.ts';
import { foldingDialect } from './folding.ts';
import type { Said } from './said.ts';

interface Turn {
  /** Whose the run is: it does what no agent of its own does. */
  agent: string;
  /** What began, oldest first, by key: whose or which. */
  readonly open: Map<string, Actor>;
}

/** An agent or a tool, by name. */
interface Actor {
  readonly name: string;
  readonly begins: (name: string) => string;
  readonly ends: (name: string) => string;
}

const AGENT = {
  begins: (name: string) => `[${name}] agent invoked`,
  ends: (name: string) => `[${name}] agent finished`,
};
const TOOL = {
  begins: (name: string) => `Calling ${name}...`,
  ends: (name: string) => `${name} finished`,
};

export const thinking = foldingDialect<Turn>({
  name: 'thinking',
  types: ['run.started', 'agent.started', 'agent.completed', 'agent.failed', ...TOOL_EVENTS],
  begin: () => ({ agent: 'agent', open: new Map() }),
  say: (turn, event) => linesOf(turn, event).map((data): Said => ({ data })),
  // Its ids name the run: what is open at the door is found by them.
  ids: 'run',
  words: { reset: () => [{ data: 'Stream restarted' }] },
});

function linesOf(turn: Turn, event: KnownEvent): readonly string[] {
  if (isTerminal(event.type)) return interrupted(turn);
  if (isToolEvent(event)) return ofTool(turn, event);
  const key = `agent ${event.agent?.id}`;
  const agent = { ...AGENT, name: event.agent?.name ?? turn.agent };
  switch (event.type) {
    case 'run.started':
      turn.agent = event.data.agent;
      return [];
    case 'agent.started':
      return begin(turn, key, agent);
    case 'agent.completed':
    case 'agent.failed':
      return end(turn, key, agent);
    default:
      return [];
  }
}

function ofTool(turn: Turn, event: KnownEvent & { readonly type: ToolEventType }): readonly string[] {
  const { toolCallId, name = toolCallId } = event.data as { readonly toolCallId: string; readonly name?: string };
  const key = `tool ${keyOf(event, toolCallId)}`;
  const tool = { ...TOOL, name };
  switch (event.type) {
    case 'tool.started':
    case 'tool.called':
      return begin(turn, key, tool);
    case 'tool.completed':
    case 'tool.failed':
    case 'tool.denied':
      return end(turn, key, tool);
    default:
      return [];
  }
}

function begin(turn: Turn, key: string, actor: Actor): readonly string[] {
  if (turn.open.has(key)) return [];
  turn.open.set(key, actor);
  return [actor.begins(actor.name)];
}

/** What ends without having begun begins here: the producer left that out, or the log no longer has it. */
function end(turn: Turn, key: string, actor: Actor): readonly string[] {
  const late = begin(turn, key, actor);
  const { name, ends } = turn.open.get(key)!;
  turn.open.delete(key);
  return [...late, ends(name)];
}

/** The end of a turn ends all that is open in it, innermost first. */
function interrupted(turn: Turn): readonly string[] {
  const lines = [...turn.open.values()].map(({ name, ends }) => ends(name));
  turn.open.clear();
  return lines.reverse();
}
