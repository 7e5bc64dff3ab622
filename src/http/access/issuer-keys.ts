import { createLocalJWKSet, createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose';
import { cannotTell } from './refusals.ts';

/** An issuer that does not answer is asked again after so many milliseconds; until then the keys that are known count. */
const PAUSE_MS = 5_000;
const TIMEOUT_MS = 5_000;
/** The keys of the large providers are below 16 KiB. */
const MOST_BYTES = 1024 * 1024;

/**
 * The keys that an issuer publishes: fetched when first needed, again when they are ten minutes old, and when a token
 * names one that is not known (every 30 s at most, so that made-up names do not flood the issuer). While the issuer is
 * away the keys that are known go on working, however old.
 *
 * The function throws `auth_unavailable` where no key is known that could decide, and `JWKSNoMatchingKey` of jose where
 * there is none.
 */
export function issuerKeys(url: URL): JWTVerifyGetKey {
  const remote = createRemoteJWKSet(url, { timeoutDuration: TIMEOUT_MS, [customFetch]: fetchBounded });
  let failedAt = Number.NEGATIVE_INFINITY;
  return async (header, token) => {
    let cause: unknown;
    if (Date.now() - failedAt > PAUSE_MS) {
      try {
        return await remote(header, token);
      } catch (error) {
        if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) throw error;
        if (!remote.fresh || !remote.coolingDown) failedAt = Date.now();
        cause = error;
      }
    }
    const known = remote.jwks();
    try {
      if (known) return await createLocalJWKSet(known)(header, token);
    } catch {
      // The issuer may have published it meanwhile: that cannot be told now.
    }
    throw cannotTell(cause ?? new Error('The issuer did not answer a moment ago.'));
  };
}

/** `fetch` that stops reading where no issuer would still have something to say. */
async function fetchBounded(url: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(url, init);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Error(`The issuer's keys have more than ${MOST_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return new Response(Buffer.concat(chunks), { status: answer.status, headers: answer.headers });
}
