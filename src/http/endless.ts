import type { Socket } from 'node:net';
import type { NodeHost } from './node-sink.ts';

const endless = new WeakSet<Socket>();

/** Takes the request's time-out away: it may go on for ever. Whoever calls this limits silence, and calls the end. */
export function withoutTimeout(host: Partial<NodeHost> | undefined): () => void {
  const socket = host?.incoming?.socket;
  if (!socket) return () => undefined;
  endless.add(socket);
  return () => endless.delete(socket);
}

export const isEndless = (socket: Socket): boolean => endless.has(socket);
