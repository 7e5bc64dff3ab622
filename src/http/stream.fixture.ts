/** A whole server on a memory log, for the tests of streams: real sockets, settable times. */
import { Hub, type HubOptions } from '../hub/index.ts';
import type { Ack, Log } from '../log/index.ts';
import { openMemory } from '../log/memory.ts';
import { type AgentRef, encodeEvent, isTerminal, LIMITS } from '../protocol/index.ts';
import { Runs } from '../runs/index.ts';
import { createApp, listen } from './index.ts';

export interface StreamServer {
  readonly url: string;
  readonly log: Log;
  readonly hub: Hub;
  /** What went wrong on the server, expected to be nothing. */
  readonly errors: unknown[];
  close(): Promise<void>;
}

export async function streamServer(options: HubOptions = {}, log: Log = openMemory()): Promise<StreamServer> {
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const hub = new Hub(log, { onError, ...options });
  const runs = new Runs(log, { limits: LIMITS });
  const app = createApp({ log, hub, runs, limits: LIMITS, allowedHosts: [], allowedOrigins: [ORIGIN], onError });
  const server = await listen(app, { port: 0, host: '127.0.0.1', onError });
  const close = async () => {
    await Promise.all([server.close(), hub.close()]);
    await runs.close();
    await log.close();
  };
  return { url: server.url, log, hub, errors, close };
}

/** An origin that the server allows. */
export const ORIGIN = 'https://app.example';

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
