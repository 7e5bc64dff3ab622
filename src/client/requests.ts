import { newRunId, type RunSnapshot, type RunStatus, TelltaleError, type TelltaleEvent } from '../protocol/index.ts';
import { below, withQuery } from './address.ts';
import { errorOf, reach, unreachable } from './response.ts';
import { headersOf, type Transport } from './transport.ts';

/** What a run is started with (PROTOCOL.md section 8). */
export interface StartRequest {
  readonly agent: string;
  readonly input?: unknown;
  /** The conversation it belongs to; its own by default. */
  readonly threadId?: string;
  readonly runId?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** `remote`: nobody runs it there; a producer appends its events. */
  readonly mode?: 'local' | 'remote';
  /** Seconds without an append after which a remote run is ended. */
  readonly lease?: number;
  /** Seconds that a run may take that is not remote. */
  readonly timeout?: number;
}

export interface StartedRun {
  readonly runId: string;
  readonly threadId: string;
  readonly status: RunStatus;
  /** How many runs are before it, where it is `queued`. */
  readonly position?: number;
  /** Go on after it. */
  readonly cursor: string;
}

/**
 * A run as a list tells it: `first` and `last` are the numbers of its first and its terminal event. What follows `waiting`
 * only its events tell: it comes a moment after the row, and in a page that asks for `details`. Absent is not known.
 */
export interface ListedRun {
  readonly runId: string;
  readonly threadId: string;
  readonly agent: string;
  readonly status: RunStatus;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly endedAt?: string;
  readonly first: number;
  readonly last?: number;
  readonly events: number;
  readonly parentRunId?: string;
  /** Questions that wait for an answer; absent where there is none. */
  readonly waiting?: number;
  /** `metadata.title`, else the beginning of its input: one line of 120 characters at most. */
  readonly title?: string;
  /** RFC 3339, of its last event. */
  readonly lastAt?: string;
  /** The step under way, or the last one begun; `index` counts from 1, without a plan there is no `total`. */
  readonly step?: { readonly name: string; readonly index: number; readonly total?: number };
  /** Agents it has invoked. */
  readonly agents?: number;
  /** Events that told of an error. */
  readonly errors?: number;
  /** So far. */
  readonly cost?: { readonly amount: number; readonly currency: string; readonly source: string };
}

/** An agent that can be started. */
export interface ListedAgent {
  readonly name: string;
  readonly description?: string;
  /** The model it mainly uses: a label for people, such as `rules-1 (no LLM)`, not an id. */
  readonly model?: string;
}

/** Who asks, to the server. */
export interface Caller {
  /** The server has authentication. Where it has not, everybody who reaches it may do everything. */
  readonly authentication: boolean;
  /** Absent: nobody has said who asks. */
  readonly principal?: {
    readonly userId: string;
    readonly tenantId?: string;
    /** `read`, `start`, `write`, `control`, `admin`: what they let is in docs/auth.md. */
    readonly scopes: readonly string[];
  };
}

/** Which runs; every field that is there has to match. Times are RFC 3339. */
export interface RunFilter {
  readonly agent?: string;
  /** Several: any of them. */
  readonly status?: RunStatus | readonly RunStatus[];
  readonly threadId?: string;
  readonly since?: string;
  readonly until?: string;
}

/** A page of runs: which, from where on, and whether it waits for what only their events tell (5 s at most). */
export interface PageQuery extends RunFilter {
  /** `next` of the page before. */
  readonly before?: string;
  readonly limit?: number;
  readonly details?: boolean;
}

export interface RunPage {
  /** Newest first. */
  readonly runs: readonly ListedRun[];
  /** Goes into `before` for the page after it; absent on the last one. */
  readonly next?: string;
}

export interface EventPage {
  readonly events: readonly TelltaleEvent[];
  /** Go on after it. */
  readonly cursor: string;
  /** There is more now. */
  readonly more: boolean;
  /** No more will come; only of runs. */
  readonly ended?: boolean;
}

/** Who says something to a run, and why. A server that knows who asks puts that in the place of `by`. */
export interface About {
  readonly by?: string;
  readonly reason?: string;
}

/** What a command has come to so far: what follows it is in the log. */
export interface CommandOutcome {
  readonly status: RunStatus;
  /** Absent where there was nothing to do: the run had ended, or was paused already. */
  readonly commandId?: string;
  readonly seq?: number;
  /** Said before under the same key. */
  readonly duplicate?: boolean;
}

/** An answer that counts. */
export interface AnswerOutcome {
  readonly approvalId: string;
  readonly decision: string;
  readonly seq: number;
  readonly by?: string;
  readonly duplicate?: boolean;
}

export interface InputOutcome {
  readonly inputId: string;
  readonly seq: number;
  readonly duplicate?: boolean;
}

/** A request is given up after so many milliseconds. */
const ANSWER_MS = 30_000;
/** What got no answer is sent again so often: with its key it cannot happen twice. */
const ATTEMPTS = 4;
const RETRY_MS = 500;

export type Requests = ReturnType<typeof createRequests>;

/** The JSON requests of a client. All throw what the server says, or `unreachable`. */
export function createRequests(base: URL, transport: Transport) {
  const at = (root: string, ...rest: readonly string[]): URL => below(base, root, ...rest);

  async function send<T>(url: URL, body?: object, more: Readonly<Record<string, string>> = {}): Promise<T> {
    const headers = await headersOf(transport);
    headers.set('accept', 'application/json');
    for (const [name, value] of Object.entries(more)) headers.set(name, value);
    if (body) headers.set('content-type', 'application/json');
    const init: RequestInit = { headers, cache: 'no-store', signal: AbortSignal.timeout(ANSWER_MS) };
    if (body) Object.assign(init, { method: 'POST', body: JSON.stringify(body) });
    try {
      const response = await reach(url, init, transport.fetch);
      if (!response.ok) throw await errorOf(response);
      return (await response.json()) as T;
    } catch (error) {
      if (error instanceof TelltaleError) throw error;
      throw unreachable(`${url.origin} gave no answer that makes sense.`, error);
    }
  }

  async function insist<T>(url: URL, body: object, key: string): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await send<T>(url, body, { 'idempotency-key': key });
      } catch (error) {
        if (attempt === ATTEMPTS || !TelltaleError.from(error).retryable) throw error;
        await new Promise((resolve) => setTimeout(resolve, Math.random() * RETRY_MS * 2 ** attempt));
      }
    }
  }

  return {
    start: (request: StartRequest, key = newRunId()): Promise<StartedRun> => insist(at('v1/runs'), request, key),

    agents: async (): Promise<readonly ListedAgent[]> =>
      (await send<{ agents: readonly ListedAgent[] }>(at('v1/agents'))).agents,

    whoami: (): Promise<Caller> => send(at('v1/whoami')),

    /** Says something to a run: `path` is what, below the run. */
    tell: (runId: string, path: readonly string[], body: object = {}, key = newRunId()): Promise<unknown> =>
      insist(at('v1/runs', runId, ...path), body, key),

    snapshot: (runId: string): Promise<RunSnapshot & { readonly cursor: string }> => send(at('v1/runs', runId)),

    list: (query: PageQuery = {}): Promise<RunPage> => send(withQuery(at('v1/runs'), query)),

    /** @param of `v1/runs` or `v1/threads` */
    events: (
      of: string,
      id: string,
      query: { readonly after?: string | undefined; readonly limit?: number } = {},
    ): Promise<EventPage> => send(withQuery(at(of, id, 'events'), query)),
  };
}
