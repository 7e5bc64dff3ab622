/** Telltale behind the server of Bun or Deno: `bun host-process.fixture.ts` says its URL, and ends with its stdin. */
import { mounted } from './host.fixture.ts';

type Fetch = (request: Request) => Promise<Response>;
declare const Bun: {
  serve(options: { port: 0; hostname: string; idleTimeout: number; fetch: Fetch }): { port: number };
};
declare const Deno: {
  serve(options: { port: 0; hostname: string; onListen: (at: { port: number }) => void }, fetch: Fetch): unknown;
};

const telltale = mounted();
const hostname = '127.0.0.1';
const listening = ({ port }: { port: number }) => console.log(`http://${hostname}:${port}`);

async function fetch(request: Request): Promise<Response> {
  return new URL(request.url).pathname === '/viewers' ? Response.json(telltale.hub.viewers) : telltale.fetch(request);
}

process.stdin.on('end', () => process.exit()).resume();
if ('Bun' in globalThis) listening(Bun.serve({ port: 0, hostname, idleTimeout: 30, fetch }));
else Deno.serve({ port: 0, hostname, onListen: listening }, fetch);
