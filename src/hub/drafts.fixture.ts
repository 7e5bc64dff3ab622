/** Short ways to append, for the tests of hub and streams. */
import type { Ack, Log } from '../log/index.ts';
import { type AgentRef, encodeEvent, isTerminal } from '../protocol/index.ts';

export type Draft = readonly [type: string, data?: Readonly<Record<string, unknown>>, agent?: AgentRef];

/** Appends to a run; `run.started` opens it, and a terminal event closes it. */
export function append(log: Log, runId: string, drafts: readonly Draft[], threadId = runId): Promise<Ack> {
  const context = { threadId, runId, time: '2026-11-20T18:00:00.000Z' };
  const batch = drafts.map(([type, data = {}, agent]) => encodeEvent({ type, data, ...(agent && { agent }) }, context));
  const opens = drafts[0]?.[0] === 'run.started' && { opens: { agent: 'a', createdAt: context.time } };
  const closes = isTerminal(drafts.at(-1)?.[0] ?? '') && { closes: true };
  return log.append(threadId, batch, { runId, ...opens, ...closes });
}

export const START: Draft = ['run.started', { agent: 'a' }];
export const END: Draft = ['run.completed'];
export const custom = (value: unknown): Draft => ['custom', { name: 'n', value }];
export const delta = (text: string): Draft => ['message.delta', { messageId: 'm', delta: text }];
