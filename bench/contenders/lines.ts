import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';

/** Calls back with each event of an NDJSON body, and resolves at its end. */
export async function eachEvent(request: IncomingMessage, take: (event: { type: string; data: object }) => void) {
  const lines = createInterface({ input: request });
  lines.on('line', (line) => take(JSON.parse(line)));
  await new Promise((resolve) => lines.once('close', resolve));
}
