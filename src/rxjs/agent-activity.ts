import { BehaviorSubject, type Observable } from 'rxjs';
import { TelltaleError } from '../protocol/index.ts';

/** What an agent of a session does, as the agent-activity door tells it (docs/dialects.md). */
export interface AgentActivity {
  readonly session_id: string;
  readonly agent_name: string;
  readonly action: string;
  readonly status: string;
  readonly details?: unknown;
  /** RFC 3339. */
  readonly timestamp: string;
}

export interface AgentActivityOptions {
  /** Where the server is; by default the page's own. */
  readonly url?: string;
  /** Instead of the platform's, which Node does not have. */
  readonly EventSource?: new (
    url: string,
  ) => EventSource;
}

/**
 * The activities of the agents of one session, accumulated. EventSource comes back by itself, and everything comes once:
 * what was done before the session was joined, too.
 *
 * @example
 * await this.agentActivityService.joinSession(sessionId);
 * this.agentActivityService.getActivities().subscribe((activities) => console.log(activities));
 */
export class AgentActivityService {
  readonly #url: string;
  readonly #EventSource: new (
    url: string,
  ) => EventSource;
  readonly #activities = new BehaviorSubject<readonly AgentActivity[]>([]);
  readonly #status = new BehaviorSubject<readonly AgentActivity[]>([]);
  #session:
    | { readonly id: string; readonly source: EventSource; readonly joined: PromiseWithResolvers<void> }
    | undefined;
  #heard: AgentActivity[] = [];
  readonly #latest = new Map<string, AgentActivity>();
  #emitting: ReturnType<typeof setTimeout> | undefined;

  constructor({ url = '', EventSource = globalThis.EventSource }: AgentActivityOptions = {}) {
    this.#url = url.replace(/\/+$/, '');
    this.#EventSource = EventSource;
  }

  /**
   * Watches a session, and leaves the one before. Resolves when it is connected; a session nobody has written to yet is
   * waited for. Joining the same session again changes nothing.
   *
   * @throws {TelltaleError} `unreachable`, where the server refuses: an id that is none, or a page of another origin.
   */
  joinSession(sessionId: string): Promise<void> {
    if (this.#session?.id === sessionId) return this.#session.joined.promise;
    this.leaveSession();
    const source = new this.#EventSource(`${this.#url}/sse/agent-activity/${encodeURIComponent(sessionId)}`);
    const joined = Promise.withResolvers<void>();
    // Whoever does not wait for it is not to be told by an unhandled rejection.
    joined.promise.catch(() => undefined);
    this.#session = { id: sessionId, source, joined };
    source.addEventListener('open', () => joined.resolve());
    source.addEventListener('agentActivity', (event) => this.#hear(event));
    source.addEventListener('agentStatusUpdate', (event) => this.#hear(event, true));
    source.addEventListener('error', (event) => {
      // The connection's own errors have no data. CLOSED: EventSource does not come back.
      if ('data' in event && event.data !== undefined) {
        // A reset: what was heard is void, and all of it follows again.
        if (JSON.parse(event.data as string).status === 'reset') this.#forget();
        else this.#hear(event as MessageEvent<string>);
      } else if (source.readyState === source.CLOSED) {
        if (this.#session?.source === source) this.#session = undefined;
        joined.reject(new TelltaleError('unreachable', `Session ${sessionId} cannot be watched at ${source.url}.`));
      }
    });
    return joined.promise;
  }

  /** All that was done, oldest first: the whole array, at once and whenever there is more. */
  getActivities(): Observable<readonly AgentActivity[]> {
    return this.#activities.asObservable();
  }

  /** The newest status of each agent, at once and whenever one changes. */
  getStatus(): Observable<readonly AgentActivity[]> {
    return this.#status.asObservable();
  }

  /** Ends the connection and forgets what was heard. */
  leaveSession(): void {
    this.#session?.source.close();
    this.#session?.joined.reject(new TelltaleError('unreachable', 'The session was left before it was connected.'));
    this.#session = undefined;
    this.#forget();
  }

  #hear({ data }: MessageEvent<string>, isStatus = false): void {
    const activity = JSON.parse(data) as AgentActivity;
    if (isStatus) this.#latest.set(activity.agent_name, activity);
    else this.#heard.push(activity);
    this.#emitLater();
  }

  #forget(): void {
    this.#heard = [];
    this.#latest.clear();
    this.#emitLater();
  }

  /** What comes together is emitted together: a long history would else be copied once for each of its events. */
  #emitLater(): void {
    this.#emitting ??= setTimeout(() => {
      this.#emitting = undefined;
      if (this.#heard.length !== this.#activities.value.length || this.#heard[0] !== this.#activities.value[0]) {
        this.#activities.next([...this.#heard]);
      }
      const latest = [...this.#latest.values()];
      if (latest.length !== this.#status.value.length || latest.some((it, i) => it !== this.#status.value[i])) {
        this.#status.next(latest);
      }
    });
  }
}
