import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { TelltaleError } from '../protocol/index.ts';
import { tokenHeaders } from './token.ts';

/**
 * Sends lines as they come, and gives the lines of the answer as they come. `fetch` is half duplex by its standard: it may
 * give no answer before everything was sent, and a refusal comes before that.
 *
 * @throws {TelltaleError} what the server says; `unreachable`.
 */
export async function* upload(url: string, lines: Readable): AsyncGenerator<object> {
  const request = url.startsWith('https:') ? httpsRequest : httpRequest;
  const outgoing = request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', ...tokenHeaders() },
  });
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
  // A server that refuses a line reads no more; what it said is in the answer.
  pipeline(lines, outgoing).catch(() => {});
  try {
    const [answer] = await answered.catch((cause: unknown) => {
      throw new TelltaleError('unreachable', `${new URL(url).origin} does not answer.`, {}, { cause });
    });
    if (answer.statusCode !== 200) throw problemOf(await text(answer));
    for await (const line of createInterface({ input: answer })) {
      const said = JSON.parse(line) as { readonly code?: string };
      if (said.code !== undefined) throw TelltaleError.fromProblem(said, 'unreachable');
      yield said;
    }
  } finally {
    outgoing.destroy();
    lines.destroy();
  }
}

function problemOf(body: string): TelltaleError {
  let problem: unknown;
  try {
    problem = JSON.parse(body);
  } catch {}
  return TelltaleError.fromProblem(problem, 'unreachable');
}
