import { TelltaleError } from '../protocol/index.ts';
import { unreachable } from './response.ts';

/** How requests are made. */
export interface Transport {
  readonly fetch: typeof globalThis.fetch;
  /** Asked for each request anew, so that a token may be renewed meanwhile. */
  readonly headers: () => HeadersInit | Promise<HeadersInit>;
}

/** @throws {TelltaleError} its own, or `unreachable` with what `headers` threw as the cause. */
export async function headersOf({ headers }: Transport): Promise<Headers> {
  try {
    return new Headers(await headers());
  } catch (cause) {
    throw cause instanceof TelltaleError ? cause : unreachable('There are no headers for the request.', cause);
  }
}
