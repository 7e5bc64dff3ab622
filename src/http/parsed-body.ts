import type { Readable } from 'node:stream';
import { TelltaleError } from '../protocol/index.ts';

/**
 * The bytes of a body that something before us has read and parsed (`express.json()`, body-parser), written out again,
 * so that every rule for bodies applies to it; `undefined` where nobody has read it, or nothing was left of it.
 *
 * @throws {TelltaleError} `invalid_json`, `too_deep`, for what cannot be written out as it was.
 */
export function parsedBody(incoming: Readable & { readonly body?: unknown }): Buffer | undefined {
  // body-parser 1 sets `{}` on every request, read or not.
  if (!incoming.readableDidRead || incoming.body === undefined) return undefined;
  const { body } = incoming;
  if (body instanceof Uint8Array) return Buffer.from(body);
  return Buffer.from(typeof body === 'string' ? body : write(body));
}

function write(body: unknown): string {
  try {
    return JSON.stringify(body, refuseInfinity);
  } catch (error) {
    if (error instanceof TelltaleError) throw error;
    // JSON.parse takes depth 1,000,000, JSON.stringify throws at 10,000 (measured).
    throw new TelltaleError('too_deep', 'The body is nested too deeply. Flatten it.', {}, { cause: error });
  }
}

/** JSON.parse reads 1e400 as Infinity, which would be written as null. */
function refuseInfinity(_key: string, value: unknown): unknown {
  if (value !== Infinity && value !== -Infinity) return value;
  throw new TelltaleError('invalid_json', 'The body has a number beyond 1.8e308. Send it as text.');
}
