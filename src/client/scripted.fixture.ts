import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { byeFrame, caughtUpFrame, helloFrame, writeComment, writeEventFrame, writeRetry } from '../protocol/index.ts';

export type Answer = (request: IncomingMessage, response: ServerResponse, connection: number) => unknown;

/** One thing that a scripted server does with a connection; text is sent as it is. */
export type Step =
  | string
  /** Sends the first half of a text, and the rest with what comes next: a frame torn by the network. */
  | { readonly half: string }
  /** Answers with a status instead of a stream; only as the first step. */
  | { readonly status: number; readonly type?: string; readonly body?: string; readonly retryAfter?: number }
  /** Goes on when it resolves. */
  | { readonly until: PromiseLike<unknown> }
  /** Breaks the connection off; ends the body; keeps it open. */
  | 'drop'
  | 'end'
  | 'stay';

export interface Scripted {
  readonly url: string;
  readonly requests: IncomingMessage[];
  /** How many connections are open now. */
  readonly open: () => number;
  close(): Promise<unknown>;
}

/** A real server whose every request is answered by `answer`; connections count from 1. */
export async function serve(answer: Answer): Promise<Scripted> {
  const requests: IncomingMessage[] = [];
  let open = 0;
  const server = createServer((request, response) => {
    open++;
    response.once('close', () => open--);
    void answer(request, response, requests.push(request));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    open: () => open,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

/** A server that plays a script for each connection, and the last one for all that follow. */
export function serveScripts(...scripts: (readonly Step[])[]): Promise<Scripted> {
  return serve((_, response, connection) => play(response, scripts[connection - 1] ?? scripts.at(-1) ?? []));
}

export const STREAM = { 'content-type': 'text/event-stream; charset=utf-8' };

export async function play(response: ServerResponse, script: readonly Step[]): Promise<void> {
  for (const step of script) {
    if (response.destroyed) return;
    if (typeof step === 'object' && 'status' in step) {
      const { status, type = 'application/json', body, retryAfter } = step;
      response
        .writeHead(status, {
          'content-type': type,
          ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
        })
        .end(body);
      return;
    }
    if (!response.headersSent) response.writeHead(200, STREAM);
    if (step === 'drop') response.destroy();
    else if (step === 'end') response.end();
    else if (step === 'stay') response.flushHeaders();
    else if (typeof step === 'string') await write(response, step);
    else if ('half' in step) await write(response, step.half.slice(0, step.half.length / 2));
    else await step.until;
  }
}

/** Resolves when the text has left, or the connection is gone. */
export const write = (response: ServerResponse, text: string | Uint8Array): Promise<unknown> =>
  new Promise((resolve) => response.write(text, resolve));

/** An event of run `r1`, as its frame; the text in it has as many bytes as its number says, some of them in twos. */
export const event = (seq: number, type = 'custom', prev?: number, data?: object): string =>
  writeEventFrame(
    'e1',
    seq,
    type,
    `${prev === undefined ? '' : `"prev":${prev},`}"threadId":"r1","runId":"r1","type":"${type}","time":"2026-11-20T18:00:00.000Z","data":${JSON.stringify(data ?? { é: 'ü'.repeat(seq % 7) })}}`,
  );

export const hello = (heartbeatMs = 15_000, latest = 9): string =>
  writeComment('connected') +
  writeRetry(1) +
  helloFrame({ threadId: 'r1', runId: 'r1', epoch: 'e1', earliest: 1, latest, heartbeatMs });

export const started = (): string => event(1, 'run.started', undefined, { agent: 'a' });
export const ended = (seq: number): string => event(seq, 'run.completed', undefined, {}) + byeFrame();
export const caughtUp = caughtUpFrame;
