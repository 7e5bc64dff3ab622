import type { Context } from 'hono';
import type { z } from 'zod';
import { jsonDepth, TelltaleError } from '../protocol/index.ts';
import { recheck } from './access/index.ts';

/**
 * How much more than the limit is read and thrown away. A connection closed on somebody who still sends gives him a
 * reset, often before he read why.
 */
const PATIENCE = 8;

/** What a route takes. */
export interface BodyRules<T> {
  readonly schema: z.ZodType<T>;
  readonly maxBytes: number;
  readonly maxDepth: number;
  /** What no body at all means; without it, a body is needed. */
  readonly absent?: unknown;
}

/**
 * Reads, checks and parses a JSON body, in this order: its type, its size while it comes in (whatever Content-Length
 * says), UTF-8, depth, syntax, shape. Of a key that comes twice in one object the last counts.
 *
 * @throws {TelltaleError} `unsupported_media_type`, `batch_too_large`, `invalid_json`, `too_deep`, `invalid_request`.
 */
export async function readBody<T>(c: Context, rules: BodyRules<T>): Promise<T> {
  const bytes = await readBytes(c, rules.maxBytes);
  // A body may take a minute; revoked users must not finish what they had begun.
  recheck(c);
  if (bytes.length === 0 && rules.absent !== undefined) return checkShape(rules.schema, rules.absent, 'body');
  checkPlain(c);
  // Anchored: two types joined by a comma, or a charset other than UTF-8, are not this.
  if (!isOfType(c, 'json')) {
    throw new TelltaleError('unsupported_media_type', 'Send JSON in UTF-8, with Content-Type: application/json.');
  }
  return checkShape(rules.schema, parseJson(bytes, rules.maxDepth), 'body');
}

/** True for `application/json` or `application/x-ndjson`, in UTF-8. */
export function isOfType(c: Context, type: 'json' | 'x-ndjson'): boolean {
  const pattern = String.raw`^application\/${type}\s*(?:;\s*charset\s*=\s*(?:utf-8|"utf-8")\s*)?;?$`;
  return new RegExp(pattern, 'i').test(c.req.header('content-type') ?? '');
}

/** @throws {TelltaleError} `unsupported_media_type` for what is compressed. */
export function checkPlain(c: Context): void {
  const encoding = c.req.header('content-encoding');
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new TelltaleError(
      'unsupported_media_type',
      'Bodies are taken as they are: send it without Content-Encoding.',
    );
  }
}

async function readBytes(c: Context, maxBytes: number): Promise<Uint8Array> {
  const reader = c.req.raw.body?.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (reader) {
    const { done, value } = await reader.read().catch((cause) => {
      throw new TelltaleError('invalid_request', 'The body broke off before its end.', {}, { cause });
    });
    if (done) break;
    length += value.length;
    if (length > maxBytes * PATIENCE) break;
    if (length <= maxBytes) chunks.push(value);
    else chunks.length = 0;
  }
  if (length > maxBytes) {
    if (length > maxBytes * PATIENCE) c.header('connection', 'close');
    throw new TelltaleError('batch_too_large', `The body may have ${maxBytes} bytes. Send it in several requests.`, {
      maxBytes,
    });
  }
  return Buffer.concat(chunks);
}

/**
 * Parses JSON from outside; `name` is what it is called in errors.
 *
 * @throws {TelltaleError} `invalid_json`, `too_deep`.
 */
export function parseJson(bytes: Uint8Array, maxDepth: number, name = 'The body'): unknown {
  if (bytes.length === 0) throw new TelltaleError('invalid_json', `${name} is empty. Send a JSON object.`);
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw new TelltaleError('invalid_json', `${name} begins with a byte order mark. Send plain UTF-8.`);
  }
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    throw new TelltaleError('invalid_json', `${name} is not valid UTF-8. Encode it as UTF-8.`);
  }
  const depth = jsonDepth(text);
  if (depth > maxDepth) {
    throw new TelltaleError('too_deep', `${name} is nested ${depth} deep; ${maxDepth} is the most. Flatten it.`, {
      depth,
      maxDepth,
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TelltaleError('invalid_json', `${name} is not valid JSON: ${(cause as Error).message}`, {}, { cause });
  }
  if (HUGE_NUMBER.test(text)) refuseInfinity(value, name);
  return value;
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Nothing without one of these can be beyond 1.8e308. */
const HUGE_NUMBER = /[eE]\+?0*[1-9]\d\d|\d{200}/;

/** JSON.parse reads 1e400 as Infinity, which JSON.stringify writes as null: it would be stored as something else. */
function refuseInfinity(root: unknown, name: string): void {
  const open = [root];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (value === Infinity || value === -Infinity) {
      throw new TelltaleError('invalid_json', `${name} has a number beyond 1.8e308. Send it as text.`);
    }
    if (typeof value === 'object' && value !== null) for (const member of Object.values(value)) open.push(member);
  }
}

/** @throws {TelltaleError} `invalid_request`, naming the fields. */
export function checkShape<T>(schema: z.ZodType<T>, input: unknown, at: string): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const issues = result.error.issues.slice(0, 5).map((issue) => `${[at, ...issue.path].join('.')}: ${issue.message}`);
  throw new TelltaleError('invalid_request', issues.join('; '), { issues });
}
