import { errorOf, reach } from '../../client/index.ts';

export interface AgentServer {
  /** Where the server is: by default the page's own origin. Another one has to allow the page's (docs/doors/execution.md). */
  readonly url?: string;
}

/** An address of the execution door. */
export function at({ url = '' }: AgentServer, ...path: readonly string[]): URL {
  const below = ['api/agent', ...path.map(encodeURIComponent)].join('/');
  return new URL(`${url.replace(/\/+$/, '')}/${below}`, globalThis.location?.href);
}

/** @throws {TelltaleError} what the server says; `unreachable` where it does not answer. */
export async function post<Answer>(url: URL, body: object, idempotencyKey: string): Promise<Answer> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': idempotencyKey };
  const init = { method: 'POST', headers, credentials: 'include', body: JSON.stringify(body) } as const;
  const answer = await reach(url, init);
  if (!answer.ok) throw await errorOf(answer);
  return answer.json();
}
