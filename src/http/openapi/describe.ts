/** What stands beside a route, in the words of OpenAPI. */
import type { z } from 'zod';
import { type ErrorCode, ID_PATTERN, problemOf, TelltaleError } from '../../protocol/index.ts';
import type { DocumentedOperation, DocumentedResponse, Media, Parameter, Schema } from './document.ts';
import type { Answer, Content, Operation } from './operation.ts';

/** What every route may refuse. */
const COMMON: readonly ErrorCode[] = [
  'invalid_request',
  'host_refused',
  'origin_refused',
  'internal',
  'log_unavailable',
  'log_closed',
];

/** And every route that needs something, on a server with authentication. */
const GUARDED: readonly ErrorCode[] = ['unauthorized', 'forbidden', 'auth_unavailable'];

/** The name of the one security scheme. */
export const SECURITY_SCHEME = 'bearer';

export const reference = (id: string): string => `#/components/schemas/${id}`;

/** Writes operations as OpenAPI has them. `schemas` holds every schema by its id, as JSON Schema. */
export class Describing {
  readonly #schemas: Readonly<Record<string, Schema>>;
  readonly #idOf: (schema: z.ZodType) => string;

  constructor(schemas: Readonly<Record<string, Schema>>, idOf: (schema: z.ZodType) => string) {
    this.#schemas = schemas;
    this.#idOf = idOf;
  }

  operation(path: string, operation: Operation): DocumentedOperation {
    const { id, group, summary, description, needs, query, headers, body, refuses, examples } = operation;
    const answers = Object.entries(operation.answers).map(([status, answer]) => [status, this.#answer(answer)]);
    return {
      operationId: id,
      tags: [group],
      summary,
      description,
      // For HTTP schemes OpenAPI 3.1 lets roles stand here.
      security: needs === 'nothing' ? [] : [{ [SECURITY_SCHEME]: [typeof needs === 'object' ? needs.scope : needs] }],
      parameters: [
        ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => pathParameter(name!)),
        ...this.#parameters('query', query),
        ...this.#parameters('header', headers),
      ],
      ...(body && {
        requestBody: { required: !body.optional, content: withExample(this.#content(body), examples[0]?.body) },
      }),
      responses: {
        ...Object.fromEntries(answers),
        ...refusals([...COMMON, ...(needs === 'nothing' ? [] : GUARDED), ...refuses]),
      },
      'x-examples': examples,
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

  #content({ json, lines, frames, html, media = [] }: Content): Record<string, Media> {
    const schema = { type: 'string' };
    const data = Object.entries(frames ?? {}).map(([name, frame]) => [name, this.#reference(frame)]);
    return {
      ...(json && { 'application/json': { schema: this.#reference(json) } }),
      ...(lines && { 'application/x-ndjson': { schema, 'x-line': this.#reference(lines) } }),
      ...(frames && { 'text/event-stream': { schema, 'x-frames': Object.fromEntries(data) } }),
      ...(html && { 'text/html': { schema } }),
      ...Object.fromEntries(media.map((type) => [type, { schema }])),
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
  const titles = codes.map((code) => `${problemOf(new TelltaleError(code, '')).title} (\`${code}\`)`);
  const schema = { allOf: [{ $ref: reference('Problem') }, { properties: { code: { enum: codes } } }] };
  return {
    description: `${titles.join('. ')}.`,
    ...(status === 503 && {
      headers: { 'Retry-After': { description: 'Seconds.', schema: { type: 'string' } } },
    }),
    content: { 'application/problem+json': { schema } },
  };
}
