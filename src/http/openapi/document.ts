/** The OpenAPI document (version 3.1), made of what stands beside the routes and the schemas that check requests. */
import { z } from 'zod';
import {
  type ErrorCode,
  type EventType,
  eventData,
  eventDraft,
  ID_PATTERN,
  TelltaleError,
} from '../../protocol/index.ts';
import * as answers from '../answers.ts';
import * as requests from '../schemas.ts';
import * as snapshot from '../snapshot-answer.ts';
import type { Answer, Content, Example, Operation, Operations } from './operation.ts';

/** A JSON Schema (2020-12), or a reference to one. */
export type Schema = Readonly<Record<string, unknown>>;

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: unknown;
  readonly schema: Schema;
}

export interface Media {
  readonly schema: Schema;
  readonly example?: unknown;
  /** What each line of NDJSON is. */
  readonly 'x-line'?: Schema;
  /** What the data of each frame of a stream is, by the frame's name; `*` for all others. */
  readonly 'x-frames'?: Readonly<Record<string, Schema>>;
}

export interface DocumentedResponse {
  readonly description: string;
  readonly headers?: Readonly<Record<string, { readonly description: string; readonly schema: Schema }>>;
  readonly content?: Readonly<Record<string, Media>>;
}

export interface DocumentedOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, DocumentedResponse>>;
  /** A request that goes well. */
  readonly 'x-example': Example;
}

export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: Readonly<Record<'title' | 'version' | 'summary' | 'description', string>>;
  readonly servers: readonly { readonly url: string; readonly description: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  /** By path, then by method. */
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const GROUPS: Readonly<Record<Operation['group'], string>> = {
  Runs: 'One execution of an agent: started, listed, read as a snapshot, cancelled.',
  Events: 'The numbered log: read page by page, and appended to.',
  Streams: 'The same events live, over Server-Sent Events that resume by cursor.',
  Threads: 'Append-only logs, in which runs live.',
  Server: 'Supervision, and this document.',
};

/** What every route may refuse. */
const COMMON: readonly ErrorCode[] = [
  'invalid_request',
  'host_refused',
  'origin_refused',
  'internal',
  'log_unavailable',
  'log_closed',
];

const DESCRIPTION = `A durable, numbered log of every run of an AI agent, and streams of it. Ids that callers choose are 1 to 32 characters of A-Z, a-z, 0-9, "_" and "-". Query parameters and members of bodies that are not known are refused. Errors are problem details (RFC 9457) with a \`code\` of a closed set. PROTOCOL.md is the whole contract.`;

const schemasByName: Readonly<Record<string, unknown>> = { ...requests, ...answers, ...snapshot };

/** Builds the document. The same operations give the same bytes. */
export function buildDocument(operations: Operations): OpenApiDocument {
  const named = z.registry<{ id: string }>();
  const add = (id: string, schema: z.ZodType | undefined) => schema && !named.has(schema) && named.add(schema, { id });
  for (const [name, schema] of Object.entries(schemasByName)) {
    // A query is shown as parameters.
    if (schema instanceof z.ZodType && !name.endsWith('Query')) add(name, schema);
  }
  for (const [type, schema] of Object.entries(eventData)) add(type, schema);
  for (const [key, { query, headers }] of Object.entries(operations)) {
    add(`query of ${key}`, query);
    add(`headers of ${key}`, headers);
  }
  const converted = z.toJSONSchema(named, { io: 'input', uri: reference }).schemas as Record<string, Schema>;
  const schemas = Object.fromEntries(Object.entries(converted).map(([name, schema]) => [name, plain(schema)]));
  const idOf = (schema: z.ZodType): string => {
    const id = named.get(schema)?.id;
    if (id !== undefined) return id;
    throw new TelltaleError('internal', 'A schema of a body has to be an export of schemas.ts or answers.ts.');
  };
  const describe = new Describing(schemas, idOf);

  const paths: Record<string, Record<string, DocumentedOperation>> = {};
  for (const [key, operation] of Object.entries(operations)) {
    const [method = '', path = ''] = key.split(' ');
    paths[path] ??= {};
    paths[path][method.toLowerCase()] = describe.operation(path, operation);
  }
  const draft = plain(z.toJSONSchema(eventDraft, { io: 'input' }));
  const components = Object.entries(schemas).filter(([name]) => !/^(?:query|headers) of /.test(name));
  return {
    openapi: '3.1.0',
    info: {
      title: 'Telltale',
      version: '0.1',
      summary: 'A durable, numbered log of every AI agent run, watched live',
      description: DESCRIPTION,
    },
    servers: [{ url: '.', description: 'Where this document is' }],
    tags: Object.entries(GROUPS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: {
        ...Object.fromEntries(components),
        EventDraft: byType({ ...draft, description: 'An event as a producer writes it.' }),
        Event: byType(schemas.Event!),
      },
    },
  };
}

const reference = (id: string): string => `#/components/schemas/${id}`;

function plain({ $schema: _schema, $id: _id, ...schema }: Schema): Schema {
  return schema;
}

/** What `data` holds is decided by `type`; a type that is not known passes with any object. */
function byType(schema: Schema): Schema {
  const cases = (Object.keys(eventData) as EventType[]).map((type) => ({
    if: { properties: { type: { const: type } } },
    // biome-ignore lint/suspicious/noThenProperty: the word of JSON Schema
    then: { properties: { data: { $ref: reference(type) } } },
  }));
  return { ...schema, allOf: cases };
}

class Describing {
  readonly #schemas: Readonly<Record<string, Schema>>;
  readonly #idOf: (schema: z.ZodType) => string;

  constructor(schemas: Readonly<Record<string, Schema>>, idOf: (schema: z.ZodType) => string) {
    this.#schemas = schemas;
    this.#idOf = idOf;
  }

  operation(path: string, operation: Operation): DocumentedOperation {
    const { id, group, summary, description, query, headers, body, refuses, example } = operation;
    const answers = Object.entries(operation.answers).map(([status, answer]) => [status, this.#answer(answer)]);
    return {
      operationId: id,
      tags: [group],
      summary,
      description,
      parameters: [
        ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => pathParameter(name!)),
        ...this.#parameters('query', query),
        ...this.#parameters('header', headers),
      ],
      ...(body && {
        requestBody: { required: !body.optional, content: withExample(this.#content(body), example.body) },
      }),
      responses: { ...Object.fromEntries(answers), ...refusals([...COMMON, ...refuses]) },
      'x-example': example,
    };
  }

  #parameters(place: 'query' | 'header', schema: z.ZodType | undefined): Parameter[] {
    if (!schema) return [];
    const { properties = {}, required = [] } = this.#schemas[this.#idOf(schema)] as {
      properties?: Record<string, Schema>;
      required?: string[];
    };
    return Object.entries(properties).map(([name, { description, ...rest }]) => ({
      name,
      in: place,
      required: required.includes(name),
      ...(description !== undefined && { description }),
      schema: rest,
    }));
  }

  #answer({ description, headers, example, ...content }: Answer): DocumentedResponse {
    const media = withExample(this.#content(content), example);
    const described = Object.entries(headers ?? {}).map(([name, what]) => [
      name,
      { description: what, schema: { type: 'string' } },
    ]);
    return {
      description,
      ...(headers && { headers: Object.fromEntries(described) }),
      ...(Object.keys(media).length > 0 && { content: media }),
    };
  }

  #content({ json, lines, frames, html }: Content): Record<string, Media> {
    const schema = { type: 'string' };
    const data = Object.entries(frames ?? {}).map(([name, frame]) => [name, this.#reference(frame)]);
    return {
      ...(json && { 'application/json': { schema: this.#reference(json) } }),
      ...(lines && { 'application/x-ndjson': { schema, 'x-line': this.#reference(lines) } }),
      ...(frames && { 'text/event-stream': { schema, 'x-frames': Object.fromEntries(data) } }),
      ...(html && { 'text/html': { schema } }),
    };
  }

  #reference = (schema: z.ZodType): Schema => ({ $ref: reference(this.#idOf(schema)) });
}

/** The example belongs to the first form. */
function withExample(content: Record<string, Media>, example: unknown): Record<string, Media> {
  const [first] = Object.entries(content);
  if (!first || example === undefined) return content;
  return { ...content, [first[0]]: { ...first[1], example } };
}

function pathParameter(name: string): Parameter {
  const chosen = name === 'runId' || name === 'threadId';
  return {
    name,
    in: 'path',
    required: true,
    description: `Id of the ${name.replace(/Id$/, '')}.`,
    schema: { type: 'string', ...(chosen && { pattern: ID_PATTERN.source }) },
  };
}

/** One answer for each status, with the codes that have it. */
function refusals(codes: readonly ErrorCode[]): Record<string, DocumentedResponse> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of new Set(codes)) {
    const { status } = new TelltaleError(code, '');
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const described = [...byStatus].map(([status, these]) => [status, refusal(status, these)]);
  return Object.fromEntries(described);
}

function refusal(status: number, codes: readonly ErrorCode[]): DocumentedResponse {
  const titles = codes.map((code) => `${new TelltaleError(code, '').toProblem().title} (\`${code}\`)`);
  const schema = { allOf: [{ $ref: reference('Problem') }, { properties: { code: { enum: codes } } }] };
  return {
    description: `${titles.join('. ')}.`,
    ...(status === 503 && {
      headers: { 'Retry-After': { description: 'Seconds.', schema: { type: 'string' } } },
    }),
    content: { 'application/problem+json': { schema } },
  };
}
