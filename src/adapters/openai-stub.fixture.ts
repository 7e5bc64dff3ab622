/**
 * A local server that speaks the chat completions API as the compatible servers do (streamed and whole), and says what
 * the test tells it to. Real HTTP: what the client aborts, it sees.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as bodyOf } from 'node:stream/consumers';

export interface ChatRequest {
  readonly model: string;
  readonly stream?: boolean;
  readonly messages: readonly { readonly role: string; readonly content?: unknown; readonly tool_call_id?: string }[];
  readonly tools?: readonly { readonly function: { readonly name: string } }[];
}

export interface Answer {
  readonly reasoning?: string;
  readonly text?: string;
  /** `args`: an object, or the text of one, which may be broken. */
  readonly tools?: readonly { readonly id?: string; readonly name: string; readonly args: unknown }[];
  /** As the API reports it; left out, none is reported. */
  readonly usage?: object;
  /** Sent after what was said, before the end: never resolving, the answer hangs until the client leaves. */
  readonly hold?: Promise<unknown>;
  /** Instead of all the above: these bytes as the body of a stream. */
  readonly raw?: string;
  /** Instead of all the above: an error with this status. */
  readonly status?: number;
  readonly headers?: Record<string, string>;
}

export interface OpenAiStub {
  /** For `createOpenAICompatible({ baseURL })`. */
  readonly url: string;
  readonly requests: readonly ChatRequest[];
  /** Answers that the client left before their end. */
  readonly aborted: number;
  /** Resolves when `aborted` has come to `count`. */
  whenAborted(count?: number): Promise<void>;
  close(): Promise<void>;
}

/** @param script What to answer; `index` counts the requests from 0. */
export async function openAiStub(
  script: (request: ChatRequest, index: number) => Answer | Promise<Answer>,
): Promise<OpenAiStub> {
  const requests: ChatRequest[] = [];
  const watchers = new Set<() => void>();
  let aborted = 0;
  const server = createServer(async (incoming, response) => {
    response.once('close', () => {
      if (!response.writableFinished) aborted++;
      for (const watcher of watchers) watcher();
    });
    const request = await parse(incoming);
    const index = requests.push(request) - 1;
    const answer = await script(request, index);
    if (answer.status !== undefined) refuse(response, answer);
    else if (request.stream) await stream(response, request, answer);
    else await whole(response, request, answer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    get aborted() {
      return aborted;
    },
    async whenAborted(count = 1) {
      while (aborted < count) {
        await new Promise<void>((resolve) => {
          watchers.add(resolve);
        });
      }
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const parse = async (incoming: IncomingMessage): Promise<ChatRequest> => JSON.parse(await bodyOf(incoming));

function refuse(response: ServerResponse, { status = 500, headers }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ error: { message: `The stub says ${status}.`, type: 'stub', code: status } }));
}

const finishOf = (answer: Answer): string => (answer.tools ? 'tool_calls' : 'stop');

const argsOf = (args: unknown): string => (typeof args === 'string' ? args : JSON.stringify(args));

async function whole(response: ServerResponse, { model }: ChatRequest, answer: Answer): Promise<void> {
  const { reasoning, text, tools, usage, hold, raw } = answer;
  if (hold) response.flushHeaders();
  await hold;
  const message = {
    role: 'assistant',
    content: text ?? null,
    ...(reasoning !== undefined && { reasoning_content: reasoning }),
    ...(tools && {
      tool_calls: tools.map(({ id, name, args }, index) => ({
        id: id ?? `call_${index}`,
        type: 'function',
        function: { name, arguments: argsOf(args) },
      })),
    }),
  };
  response.writeHead(200, { 'content-type': 'application/json' });
  const choices = [{ index: 0, message, finish_reason: finishOf(answer) }];
  response.end(raw ?? JSON.stringify({ id: 'chat', created: 0, model, choices, ...(usage && { usage }) }));
}

async function stream(response: ServerResponse, { model }: ChatRequest, answer: Answer): Promise<void> {
  const { reasoning, text, tools, usage, hold, raw } = answer;
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  if (raw !== undefined) return void response.end(raw);
  const send = (delta: object, finish: string | null = null, more: object = {}) => {
    const choices = [{ index: 0, delta, finish_reason: finish }];
    response.write(`data: ${JSON.stringify({ id: 'chat', created: 0, model, choices, ...more })}\n\n`);
  };
  for (const piece of words(reasoning)) send({ reasoning_content: piece });
  for (const piece of words(text)) send({ content: piece });
  for (const [index, { id, name, args }] of (tools ?? []).entries()) {
    send({ tool_calls: [{ index, id: id ?? `call_${index}`, type: 'function', function: { name, arguments: '' } }] });
    for (const piece of halves(argsOf(args))) send({ tool_calls: [{ index, function: { arguments: piece } }] });
  }
  await hold;
  send({}, finishOf(answer), usage ? { usage } : {});
  response.end('data: [DONE]\n\n');
}

/** A word with the space behind it, as models stream. */
const words = (text = ''): string[] => text.match(/\S+\s*|\s+/g) ?? [];

const halves = (text: string): string[] => [
  text.slice(0, Math.ceil(text.length / 2)),
  text.slice(Math.ceil(text.length / 2)),
];
