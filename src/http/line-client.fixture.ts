import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';

/** An NDJSON append that stays open, as a producer holds one. */
export interface LineClient {
  readonly request: ClientRequest;
  /** Writes text as it is. */
  write(text: string): void;
  /** The next line of the answer; `undefined` at its end. */
  // biome-ignore lint/suspicious/noExplicitAny: answers, compared member by member
  next(): Promise<any>;
  readonly response: Promise<IncomingMessage>;
}

export function openLines(url: string, headers: Record<string, string> = {}): LineClient {
  const outgoing = request(url, { method: 'POST', headers: { 'content-type': 'application/x-ndjson', ...headers } });
  const response = once(outgoing, 'response').then(([it]) => it as IncomingMessage);
  outgoing.flushHeaders();
  const lines = response.then((it) => createInterface({ input: it })[Symbol.asyncIterator]());
  return {
    request: outgoing,
    response,
    write: (text) => void outgoing.write(text),
    async next() {
      const { value } = await (await lines).next();
      return value === undefined ? undefined : JSON.parse(value);
    },
  };
}

/** Sends lines that end, and gives every line of the answer. */
export async function sendLines(url: string, text: string, headers: Record<string, string> = {}) {
  const client = openLines(url, headers);
  client.request.end(text);
  const answers = [];
  for (let answer = await client.next(); answer !== undefined; answer = await client.next()) answers.push(answer);
  return answers;
}
