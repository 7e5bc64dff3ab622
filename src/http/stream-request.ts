import type { Context } from 'hono';
import { z } from 'zod';
import { type Dialect, native } from '../dialects/index.ts';
import type { StreamRequest } from '../hub/index.ts';
import { ID_PATTERN, MAX_STREAMS, streamKey, TelltaleError, TYPE_PATTERN } from '../protocol/index.ts';
import { readQuery } from './query.ts';

const MAX_NAMES = 64;
const MAX_NAME = 256;
const MAX_PADDING = 8192;

/** Comma-separated, in one order: two that ask for the same share a view. */
const list = (one: z.ZodString) =>
  z
    .string()
    .transform((text) => [...new Set(text.split(','))].sort())
    .pipe(z.array(one).max(MAX_NAMES));

/** The query of a stream (PROTOCOL.md section 7). */
export const StreamQuery = z.strictObject({
  after: z.string().exactOptional().describe('A cursor: go on strictly after it. For a first connection.'),
  from: z
    .string()
    .regex(/^(?:start|now|snapshot|-[1-9]\d{0,3})$/, 'must be "start", "now", "snapshot", or -1 to -9999')
    .transform((from) => (from.startsWith('-') ? Number(from) : (from as 'start' | 'now' | 'snapshot')))
    .exactOptional()
    .describe('Where to begin without a cursor: `start` (default), `now`, `snapshot`, or the newest `-1` to `-9999`.'),
  types: list(z.string().refine(isTypeOrGroup, 'must be event types such as "tool.called", or groups such as "tool.*"'))
    .exactOptional()
    .describe('Comma-separated event types, or groups such as `tool.*`. Terminal events always pass.'),
  agents: list(z.string().min(1, 'must be names or ids of agents').max(MAX_NAME))
    .exactOptional()
    .describe('Comma-separated ids or names of agents: what they did themselves.'),
  depth: z
    .string()
    .regex(/^(0|[1-9]\d{0,2})$/, 'must be a number from 0 to 999')
    .transform(Number)
    .exactOptional()
    .meta({ type: 'integer', minimum: 0, maximum: 999, pattern: undefined })
    .describe('What was done at most so deep; 0 is the run and its outermost agents.'),
  coalesce: z
    .enum(['on', 'off'])
    .transform((coalesce) => coalesce === 'on')
    .exactOptional()
    .describe('`on` merges live deltas too, `off` merges nothing. Without it, history comes merged.'),
  events: z.literal('message').exactOptional().describe('No `event:` line, so that `onmessage` receives everything.'),
  padding: z
    .string()
    .regex(/^(0|[1-9]\d{0,3})$/, `must be a number from 0 to ${MAX_PADDING}`)
    .transform(Number)
    .pipe(z.number().max(MAX_PADDING))
    .exactOptional()
    .meta({ type: 'integer', minimum: 0, maximum: MAX_PADDING, pattern: undefined })
    .describe('So many spaces after `: connected`, for proxies that hold the first bytes back.'),
});

const ids = z.array(z.string().regex(ID_PATTERN, 'must be 1 to 32 characters of A-Z, a-z, 0-9, "_" and "-"'));

/** The query of several streams at once. */
export const StreamsQuery = StreamQuery.extend({ run: ids.exactOptional(), thread: ids.exactOptional() });

/**
 * What a request asks to see, but for the thread and run that its address names. `Last-Event-ID` wins over `after`: a
 * browser that reconnects sends the header and the address it was first given.
 *
 * @throws {TelltaleError} `invalid_request`, `not_acceptable`
 */
export function readStreamRequest(c: Context): Omit<StreamRequest, 'threadId'> & { readonly cursor?: string } {
  return toRequest(c, readQuery(c, StreamQuery));
}

/** One of several streams, by what it is and under its name. */
export interface Listed {
  readonly name: string;
  readonly kind: 'run' | 'thread';
  readonly id: string;
}

/**
 * The same of a request for several streams, and which these are, runs first.
 *
 * @throws {TelltaleError} `invalid_request`, `not_acceptable`
 */
export function readStreamsRequest(c: Context): ReturnType<typeof readStreamRequest> & { readonly listed: Listed[] } {
  const { run = [], thread = [], ...query } = readQuery(c, StreamsQuery, ['run', 'thread']);
  const request = toRequest(c, query);
  const listed = [
    ...run.map((id): Listed => ({ name: `run:${id}`, kind: 'run', id })),
    ...thread.map((id): Listed => ({ name: `thread:${id}`, kind: 'thread', id })),
  ];
  if (listed.length === 0 || listed.length > MAX_STREAMS) {
    throw new TelltaleError('invalid_request', `query: name 1 to ${MAX_STREAMS} streams, as ?run=…&thread=….`);
  }
  const keys = new Map<string, string>();
  for (const { name } of listed) {
    const other = keys.get(streamKey(name));
    if (other === name) throw new TelltaleError('invalid_request', `query: ${name} is there twice. Name it once.`);
    if (other !== undefined) {
      const detail = `query: ${other} and ${name} have the same key in a cursor. Ask for them apart.`;
      throw new TelltaleError('invalid_request', detail);
    }
    keys.set(streamKey(name), name);
  }
  if (request.from === 'snapshot' && thread.length > 0) {
    throw new TelltaleError('invalid_request', 'query.from: a snapshot is of a run; leave the threads out.');
  }
  return { ...request, listed };
}

/**
 * What a request asks to see by a query that was read already.
 *
 * @throws {TelltaleError} `not_acceptable`
 */
export function toRequest(
  c: Context,
  query: z.infer<typeof StreamQuery>,
  dialect: Dialect = native,
): ReturnType<typeof readStreamRequest> {
  const { after, from, types, agents, depth, events, coalesce, padding } = query;
  if (!acceptsEventStream(c.req.header('accept'))) {
    throw new TelltaleError(
      'not_acceptable',
      'A stream is text/event-stream. Accept that, or read the pages at …/events.',
    );
  }
  const cursor = c.req.header('last-event-id') || after;
  return {
    dialect,
    selection: {
      ...(types && { types }),
      ...(agents && { agents }),
      ...(depth !== undefined && { depth }),
      ...(events && { asMessages: true }),
    },
    ...(cursor && { cursor }),
    ...(from && { from }),
    ...(coalesce !== undefined && { coalesce }),
    ...(padding !== undefined && { padding }),
  };
}

function isTypeOrGroup(text: string): boolean {
  return TYPE_PATTERN.test(text.endsWith('.*') ? text.slice(0, -2) : text);
}

/** RFC 9110 section 12.5.1: the most specific range decides, and a weight of 0 is a no. */
export function acceptsEventStream(accept: string | undefined): boolean {
  if (!accept?.trim()) return true;
  const weights = weightsIn(accept);
  for (const wanted of ['text/event-stream', 'text/*', '*/*']) {
    const weight = weights.get(wanted);
    if (weight !== undefined) return weight > 0;
  }
  return false;
}

/** Where an address speaks JSON by default: a stream has to be asked for by its name, and to weigh more than JSON. */
export function prefersEventStream(accept: string | undefined): boolean {
  const weights = weightsIn(accept ?? '');
  const json = weights.get('application/json') ?? weights.get('application/*') ?? 0;
  return (weights.get('text/event-stream') ?? 0) > json;
}

/** The media ranges of an Accept header, and what each weighs: 1 unless it says otherwise. */
function weightsIn(accept: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const range of accept.toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    const weight = parameters.map((it) => /^q=([01](?:\.\d{0,3})?)$/.exec(it)?.[1]).find((it) => it !== undefined);
    if (!weights.has(type)) weights.set(type, weight === undefined ? 1 : Number(weight));
  }
  return weights;
}
