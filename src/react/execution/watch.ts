/** Watching an execution: one connection for all components that do, which ends with the execution or the last of them. */
import { errorOf, reach } from '../../client/index.ts';
import { TelltaleError } from '../../protocol/index.ts';
import { type AgentServer, at } from './agent-server.ts';
import { EVENT_NAMES, hear, watching } from './agent-state.ts';
import { update, useAgentStore } from './agent-store.ts';

/** EventSource comes back by itself from a cut, not from an answer such as a proxy's 502. Then this does: 1, 2, 4 … s. */
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

class Connection {
  users = 0;
  readonly #id: string;
  readonly #url: URL;
  #source: EventSource | undefined;
  #failures = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(server: AgentServer, id: string) {
    this.#id = id;
    this.#url = at(server, 'executions', id, 'events');
    this.#open();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#source?.close();
  }

  #open(): void {
    update((state) => watching(state, this.#id));
    const { status, lastEventId } = useAgentStore.getState().currentExecution;
    if (status !== 'running') return;
    // What is known already, for instance to the component that was here before, does not come again.
    if (lastEventId !== undefined) this.#url.searchParams.set('after', lastEventId);
    const source = new EventSource(this.#url, { withCredentials: true });
    this.#source = source;
    source.onopen = () => {
      this.#failures = 0;
    };
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) this.#comeBack();
    };
    for (const name of EVENT_NAMES) {
      source.addEventListener(name, ({ data, lastEventId }: MessageEvent<string>) => {
        if (this.#isClosed) return;
        update((state) => hear(state, name, JSON.parse(data), lastEventId));
        if (name === 'execution:complete' || name === 'execution:error') source.close();
      });
    }
  }

  /** EventSource does not say what it was answered, so this asks once more. */
  async #comeBack(): Promise<void> {
    const refusal = await reach(this.#url, { headers: { accept: 'text/event-stream' }, credentials: 'include' })
      .then((answer) => (answer.ok ? void answer.body?.cancel() : errorOf(answer)))
      .catch((error) => TelltaleError.from(error));
    if (this.#isClosed) return;
    if (refusal && !refusal.retryable) {
      update((state) => ({ ...state, isExecuting: false, error: refusal.message }));
      return;
    }
    const wait = Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** this.#failures++);
    this.#retry = setTimeout(() => this.#open(), wait * (0.5 + Math.random() / 2));
  }
}

const connections = new Map<string, Connection>();

/** @returns what ends it. */
export function watch(server: AgentServer, id: string): () => void {
  const key = JSON.stringify([server.url, id]);
  const connection = connections.get(key) ?? new Connection(server, id);
  connections.set(key, connection);
  connection.users++;
  return () => {
    if (--connection.users > 0) return;
    connection.close();
    connections.delete(key);
  };
}
