import { errorOf, reach } from '../client/index.ts';
import { DEFAULT_URL, usageError } from './command.ts';
import { fetchAsCaller } from './token.ts';

/** The HTTP API of a server, as far as the command line needs it. Every method throws what the server says. */
export class Server {
  readonly #base: string;

  /** The `--url` option, else TELLTALE_URL, else where a server listens by default. */
  constructor(url: string | undefined) {
    const base = url ?? (process.env.TELLTALE_URL || DEFAULT_URL);
    if (!/^https?:$/.test(URL.parse(base)?.protocol ?? '')) throw usageError(`${base} is not an http:// address.`);
    this.#base = base.replace(/\/+$/, '');
  }

  /** @example server.url`/v1/runs/${runId}/stream` */
  url(strings: TemplateStringsArray, ...values: readonly string[]): string {
    return this.#base + String.raw({ raw: strings }, ...values.map(encodeURIComponent));
  }

  async get(url: string): Promise<unknown> {
    return this.#fetch(url, {});
  }

  async post(url: string, body: unknown): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    return this.#fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  async #fetch(url: string, init: RequestInit): Promise<unknown> {
    const response = await reach(url, { ...init, redirect: 'error' }, fetchAsCaller);
    if (!response.ok) throw await errorOf(response);
    return response.json();
  }
}
