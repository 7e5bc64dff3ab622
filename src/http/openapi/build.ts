/** Builds the OpenAPI document of what stands beside the routes and the schemas that check requests. */
import { z } from 'zod';
import { type EventType, eventData, eventDraft, TelltaleError } from '../../protocol/index.ts';
import * as answers from '../answers.ts';
import * as requests from '../schemas.ts';
import * as snapshot from '../snapshot-answer.ts';
import { Describing, reference, SECURITY_SCHEME } from './describe.ts';
import type { DocumentedOperation, OpenApiDocument, Schema } from './document.ts';
import type { Operation, Operations } from './operation.ts';

const GROUPS: Readonly<Record<Operation['group'], string>> = {
  Runs: 'One execution of an agent: started, listed, read as a snapshot, paused, cancelled.',
  Events: 'The numbered log: read page by page, and appended to.',
  Streams: 'The same events live, over Server-Sent Events that resume by cursor.',
  Threads: 'Append-only logs, in which runs live.',
  Doors: 'The addresses and events that the clients of other systems know, over the same runs and threads.',
  Server: 'Supervision, and this document.',
};

const DESCRIPTION = `A durable, numbered log of every run of an AI agent, and streams of it. Ids that callers choose are 1 to 32 characters of A-Z, a-z, 0-9, "_" and "-". Query parameters and members of bodies that are not known are refused. Errors are problem details (RFC 9457) with a \`code\` of a closed set. PROTOCOL.md is the whole contract.`;

const BEARER = {
  type: 'http',
  scheme: 'bearer',
  description:
    "Only where the server was set up with authentication: a JSON Web Token, or an API key. What stands beside a route is the scope that it needs; `admin` is enough for all. A run or thread that is somebody else's is answered as one that is not there.",
};

const schemasByName: Readonly<Record<string, unknown>> = { ...requests, ...answers, ...snapshot };

/** Builds the document. The same operations give the same bytes. */
export function buildDocument(
  operations: Operations,
  schemasOfDoors: Readonly<Record<string, z.ZodType>> = {},
): OpenApiDocument {
  const named = z.registry<{ id: string }>();
  const add = (id: string, schema: z.ZodType | undefined) => schema && !named.has(schema) && named.add(schema, { id });
  for (const [name, schema] of Object.entries({ ...schemasByName, ...schemasOfDoors })) {
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
    throw new TelltaleError(
      'internal',
      'A schema of a body has to be an export of schemas.ts or answers.ts, or among the schemas of its door.',
    );
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
      securitySchemes: { [SECURITY_SCHEME]: BEARER },
      schemas: {
        ...Object.fromEntries(components),
        EventDraft: byType({ ...draft, description: 'An event as a producer writes it.' }),
        Event: byType(schemas.Event!),
      },
    },
  };
}

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
