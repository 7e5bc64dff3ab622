/** A server with the runs that examples may name, and a judge of what it says by its own document. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { type Telltale, telltale } from '../../index.ts';
import type { DocumentedOperation, OpenApiDocument, Schema } from './document.ts';

export interface DocumentedServer {
  readonly app: Telltale;
  readonly url: string;
}

export const JSON_HEADERS = { 'content-type': 'application/json' };

/** The agent `greeter`, its ended runs `first` in the thread `talk` and `old`, and the open remote run `job`, which asks (`Example`). */
export async function documentedServer(): Promise<DocumentedServer> {
  const app = telltale({ store: 'memory:' });
  app.agent('greeter', (run, name) => run.say(`Hello ${name}.`));
  const { url } = await app.listen(0);
  const first = await app.start({ agent: 'greeter', input: 'Ada', runId: 'first', threadId: 'talk' });
  const old = await app.start({ agent: 'greeter', input: 'Ada', runId: 'old' });
  await Promise.all([first.finished(), old.finished()]);
  await app.start({ agent: 'worker', runId: 'job', mode: 'remote' });
  const question = { type: 'approval.requested', data: { approvalId: 'deploy', prompt: 'Deploy it now?' } };
  const body = JSON.stringify({ events: [question] });
  await fetch(`${url}/v1/runs/job/events`, { method: 'POST', headers: JSON_HEADERS, body });
  return { app, url };
}

/** Says what is wrong with a value, by a schema of the document; nothing where all is well. */
export type Judge = (schema: Schema, value: unknown) => readonly string[];

/** Members that the document does not name are wrong too, although clients have to bear with them. */
export function judgeOf(document: OpenApiDocument): Judge {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema({ $id: 'telltale:openapi', components: closed(document.components) });
  const compiled = new Map<string, ValidateFunction>();
  return (schema, value) => {
    const text = JSON.stringify(schema).replaceAll('"#/', '"telltale:openapi#/');
    const validate = compiled.get(text) ?? ajv.compile(JSON.parse(text));
    compiled.set(text, validate);
    validate(value);
    return (validate.errors ?? []).map((it) => `${it.instancePath} ${it.message} ${JSON.stringify(it.params)}`);
  };
}

function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.fromEntries(Object.entries(value).map(([name, member]) => [name, closed(member)]));
  const open = members.type === 'object' && members.properties && members.additionalProperties === undefined;
  return open ? { ...members, additionalProperties: false } : members;
}

/** What is wrong with an answer, by the document. The text of a stream may stop behind any frame. */
export function judgeAnswer(judge: Judge, operation: DocumentedOperation, answer: Response, text: string): string[] {
  const response = operation.responses[answer.status];
  if (!response) return [`status ${answer.status} is not in the document: ${text}`];
  const missing = Object.keys(response.headers ?? {}).filter((name) => !answer.headers.has(name));
  const found = missing.map((name) => `the header ${name} is missing`);
  const type = answer.headers.get('content-type')?.split(';')[0];
  if (!response.content) return text === '' && type === undefined ? found : [...found, 'a body that is not described'];
  const media = response.content[type ?? ''];
  if (!media) return [...found, `the type ${type} is not in the document`];
  const { 'x-line': line, 'x-frames': frames } = media;
  if (line)
    return [
      ...found,
      ...text
        .trim()
        .split('\n')
        .flatMap((it) => judge(line, JSON.parse(it))),
    ];
  if (frames) return [...found, ...framesOf(text).flatMap(([name, data]) => judge(frames[name] ?? frames['*']!, data))];
  return [...found, ...judge(media.schema, type?.endsWith('json') ? JSON.parse(text) : text)];
}

function framesOf(text: string): [name: string, data: unknown][] {
  const found = text.matchAll(/^event: (.+)\ndata: (.+)\n\n/gm);
  return [...found].map(([, name, data]) => [name!, JSON.parse(data!)]);
}

/** Reads an answer to its end, or a stream until it says that it is caught up. */
export async function textOf(answer: Response): Promise<string> {
  if (!answer.headers.get('content-type')?.startsWith('text/event-stream')) return answer.text();
  let text = '';
  const decoder = new TextDecoder();
  for await (const bytes of answer.body ?? []) {
    text += decoder.decode(bytes, { stream: true });
    // A door's stream has no such frame: there, the first with an id is enough.
    const isNative = text.includes('event: stream.hello');
    if ((isNative ? /^event: stream\.caught-up\n.+\n\n/m : /^id: .+\n(?:.+\n)+\n/m).test(text)) break;
  }
  return text;
}
