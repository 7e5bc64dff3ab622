/** What every refusal of bad input has to be, asserted in one place. */
import { expect } from 'vitest';
import { type RawRequest, send } from './raw-request.fixture.ts';

export const JSON_TYPE = 'Content-Type: application/json';

/** A POST of JSON, unless the header lines say otherwise. */
export const post = (target: string, body: string | Uint8Array, ...headers: string[]): RawRequest => ({
  method: 'POST',
  target,
  body,
  headers: headers.length > 0 ? headers : [JSON_TYPE],
});

/** A server with the remote runs `open` and `done`, of which the second has ended. */
export class Victim {
  readonly url: string;
  /** All that the log holds, as far as a bad request could change it. */
  #before = '';

  constructor(url: string) {
    this.url = url;
  }

  async prepare(): Promise<void> {
    for (const runId of ['open', 'done']) {
      await this.ok(post('/v1/runs', `{"agent":"a","runId":"${runId}","mode":"remote"}`));
    }
    await this.ok(post('/v1/runs/done/events', '{"events":[{"type":"run.completed","data":{}}]}'));
    this.#before = await this.#state();
  }

  // biome-ignore lint/suspicious/noExplicitAny: answers of every route
  async ok(request: RawRequest): Promise<any> {
    const { status, body } = await send(this.url, request);
    expect(status, body).toBeLessThan(300);
    return JSON.parse(body);
  }

  /** Refused with this status and code, in words and without insight; nothing was stored, and the server answers. */
  async refuses(request: RawRequest, status: number, code: string): Promise<void> {
    const response = await send(this.url, request);
    expect([response.status, response.body]).toEqual([status, expect.stringContaining(`"code":"${code}"`)]);
    expect(response.headers['content-type']).toBe('application/problem+json');
    const problem = JSON.parse(response.body);
    expect(problem).toMatchObject({ status, type: `urn:telltale:error:${code}`, retryable: false });
    expect(problem.detail.length).toBeGreaterThan(15);
    expect(response.body).not.toMatch(/\.ts:|node_modules|node:internal/);
    await this.unchanged();
  }

  async unchanged(): Promise<void> {
    expect(await this.#state()).toBe(this.#before);
  }

  async #state(): Promise<string> {
    const paths = ['/v1/runs', '/v1/threads/open', '/v1/threads/done'];
    return JSON.stringify(await Promise.all(paths.map((target) => this.ok({ target }))));
  }
}
