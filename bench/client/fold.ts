import { createClient, type Run } from 'telltale/client';

/** What a socket brings at once. */
const CHUNK = 64 * 1024;

/** How long one reading took, and how many events were folded. */
export interface Folded {
  readonly events: number;
  readonly ms: number;
}

/**
 * From the bytes of a stream to the folded snapshot: all that the client does but for the network, which gives the bytes
 * as fast as they are taken.
 */
export async function fold(bytes: Uint8Array<ArrayBuffer>): Promise<Folded> {
  const headers = { 'content-type': 'text/event-stream' };
  const fetch = async (): Promise<Response> => new Response(chunks(bytes), { headers });
  const client = createClient({ url: 'http://127.0.0.1', fetch });
  const run = client.run('r0');
  const start = performance.now();
  await ended(run);
  const ms = performance.now() - start;
  const { events } = complete(run);
  client.close();
  return { events, ms };
}

/** Resolves when the run's log has ended and its connection is closed. The run stays watched: `leave` ends that. */
export function ended(run: Run): Promise<{ leave: () => void }> {
  return new Promise((resolve) => {
    const leave = run.subscribe(() => {
      if (run.getSnapshot().connection === 'closed') resolve({ leave });
    });
  });
}

/** The fold of a run that has ended. @throws Error where it is not all there: nothing is measured of half a run. */
export function complete(run: Run) {
  const { data, error, lastSeq } = run.getSnapshot();
  if (!data || error || data.status !== 'completed' || data.events !== lastSeq) {
    throw new Error(`The run is not all there: ${data?.events} events of ${lastSeq}. ${error ?? ''}`);
  }
  return data;
}

function chunks(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) controller.close();
      else controller.enqueue(bytes.slice(at, at + CHUNK));
      at += CHUNK;
    },
  });
}
