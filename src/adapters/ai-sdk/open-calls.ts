import type { RunWriter } from '../../protocol/index.ts';
import type { Invocation } from './invocation.ts';

interface OpenCall {
  /** The telemetry that records it: registered twice, recorded once. */
  readonly owner: object;
  readonly invocation: Invocation;
}

/** A consumer that stops reading leaves its call open for ever. Of more than this, the oldest are let go. */
const MOST_OPEN = 10_000;

/** All calls that are under way, by `callId`. */
export const open = new Map<string, OpenCall>();

export function opened(callId: string, call: OpenCall): void {
  for (const oldest of open.keys()) {
    if (open.size < MOST_OPEN) break;
    open.delete(oldest);
  }
  open.set(callId, call);
}

/** The agent, called in this scope, whose model has just asked for the tool call: AI SDK itself does not say. */
export function whoseTool(scope: RunWriter, toolCallId: string): Invocation | undefined {
  const asking = [...open.values()].filter(
    ({ invocation }) => invocation.parent === scope && invocation.tools.isOpen(toolCallId),
  );
  return asking.at(-1)?.invocation;
}
