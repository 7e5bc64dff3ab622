import { reach } from './response.ts';
import { headersOf, type Transport } from './transport.ts';

export interface Question extends Transport {
  /** The last id that was taken, if any. */
  readonly cursor: string | undefined;
  readonly signal: AbortSignal;
}

/** Asks for a stream. @throws as `reach` and `headersOf` do. */
export async function ask(url: URL, { cursor, signal, fetch, headers }: Question): Promise<Response> {
  const own = await headersOf({ fetch, headers });
  own.set('accept', 'text/event-stream');
  if (cursor !== undefined) own.set('last-event-id', cursor);
  return reach(url, { headers: own, signal, cache: 'no-store' }, fetch);
}
