import type { Context } from 'hono';
import { z } from 'zod';
import { TelltaleError } from '../protocol/index.ts';

/** A String of RFC 8941 section 3.3.3, which is what the draft asks for. */
const QUOTED = /^"((?:[ !#-[\]-~]|\\["\\])*)"$/;
/** What most clients send instead. No comma: two headers are joined by one. */
const BARE = /^[!#-+\--~]*$/;

/** As it is published; `readIdempotencyKey` checks it. */
export const IdempotencyHeaders = z.object({
  'Idempotency-Key': z
    .string()
    .exactOptional()
    .describe('1 to 255 visible ASCII characters. The same request under it starts nothing again.'),
});

/**
 * The `Idempotency-Key`, quoted or not: `"8e03978e"` and `8e03978e` are one key.
 *
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 * @throws {TelltaleError} `invalid_request` for what is neither.
 */
export function readIdempotencyKey(c: Context): string | undefined {
  const header = c.req.header('idempotency-key');
  if (header === undefined || BARE.test(header)) return header;
  const quoted = QUOTED.exec(header)?.[1];
  if (quoted !== undefined) return quoted.replace(/\\(.)/g, '$1');
  throw new TelltaleError(
    'invalid_request',
    'Idempotency-Key must be one text of visible ASCII characters, in double quotes if it holds quotes or commas.',
  );
}
