import { checkId, formatCursor, type RunSnapshot } from '../protocol/index.ts';
import { baseOf, below, withQuery } from './address.ts';
import type { ThreadSnapshot } from './fold.ts';
import { LogStore } from './log-store.ts';
import { emptyView } from './log-view.ts';
import { opening } from './opening.ts';
import { part } from './part.ts';
import type {
  About,
  Caller,
  CommandOutcome,
  EventPage,
  ListedAgent,
  PageQuery,
  Requests,
  RunFilter,
  RunPage,
  StartedRun,
  StartRequest,
} from './requests.ts';
import { Run } from './run.ts';
import type { RunListView } from './run-list.ts';
import { Shelf } from './shelf.ts';
import type { Sink, Source } from './source.ts';
import { connectionView, Store } from './store.ts';
import type { Way } from './stream.ts';
import type { Transport } from './transport.ts';

export interface ClientOptions {
  /** Where the server is: `https://host`, `https://host/mounted/here`, or in a browser a path such as `/telltale`. */
  readonly url: string | URL;
  /** Headers of every request: fixed, or asked for anew each time, for instance a token that is renewed. */
  readonly headers?: HeadersInit | (() => HeadersInit | Promise<HeadersInit>);
  readonly fetch?: typeof globalThis.fetch;
  /** Connections in a row that may fail before a store gives up (`closed` with an error). Default: never. */
  readonly maxAttempts?: number;
  /** How many of the newest events a view holds. Default 1,000. */
  readonly window?: number;
  /** How many runs and threads without users stay in memory, to be shown at once when they are asked for again. Default 20. */
  readonly keep?: number;
  /**
   * Shares the connections of all tabs of this origin that give the same `url` and the same text here: whatever tells
   * apart who may see what, such as the id of the user who signed in. By default each tab has connections of its own.
   */
  readonly tabs?: string;
  /**
   * Whether several runs and threads come over one connection, up to sixteen over each. By default they do in a page whose
   * browser opens but six connections to the server (HTTP/1.1); not over HTTP/2, and not in programs.
   */
  readonly share?: boolean;
  /** Told of what a listener or handler threw. By default it is reported as an uncaught error is. */
  readonly onError?: (error: unknown) => void;
}

export interface RunOptions {
  /**
   * `snapshot`: begins with the server's fold, however long the run is; `view.events` then holds only what came later.
   * Default `start`.
   */
  readonly from?: 'start' | 'snapshot';
  /** What is known of the run already, for instance from a server that rendered it: the stream goes on after it. */
  readonly initial?: RunSnapshot;
}

/**
 * A Telltale server, as a program or a page uses it. Everybody who asks for the same run gets the same store, over one
 * connection, which is open while somebody uses it.
 *
 * @example
 * const client = createClient({ url: 'http://127.0.0.1:4747' });
 * const { runId } = await client.start({ agent: 'analyst', input: 'What are the risks?' });
 * const run = client.run(runId);
 * run.subscribe(() => console.log(run.getSnapshot().status, run.getSnapshot().connection));
 */
export interface Client {
  /** @throws {TelltaleError} `invalid_request` for what is no run id. */
  run(runId: string, options?: RunOptions): Run;
  /** A conversation: every run of a thread, present and future. */
  thread(threadId: string): LogStore<ThreadSnapshot>;
  /** The runs that match, live: the newest `limit` (50 if absent, at most 200), and whatever appears or changes. */
  runs(filter?: RunFilter & { readonly limit?: number }): Store<RunListView>;
  /**
   * Starts a run. Sent again where no answer comes: the key makes all attempts one, and is random by default.
   *
   * @throws {TelltaleError} what the server says; `unreachable` after several attempts.
   */
  start(request: StartRequest, idempotencyKey?: string): Promise<StartedRun>;
  /** As `client.run(runId).cancel`. */
  cancel(runId: string, about?: About, idempotencyKey?: string): Promise<CommandOutcome>;
  /** The agents that can be started, by name. */
  agents(): Promise<readonly ListedAgent[]>;
  /**
   * Whether the server has authentication, and whom these `headers` make.
   *
   * @throws {TelltaleError} `unauthorized` for a key or token that is not good.
   */
  whoami(): Promise<Caller>;
  /** One page of runs, newest first; `next` goes into `before` for the page after it. */
  list(query?: PageQuery): Promise<RunPage>;
  /** The server's fold of a run, now. */
  snapshot(runId: string): Promise<RunSnapshot & { readonly cursor: string }>;
  /** One page of a run's events, oldest first. */
  events(runId: string, query?: { readonly after?: string; readonly limit?: number }): Promise<EventPage>;
  /** Closes every connection; iterators end. */
  close(): void;
}

/** @throws {TelltaleError} `invalid_option` */
export function createClient(options: ClientOptions): Client {
  const { headers, keep = 20, window = 1000, maxAttempts, onError = report, share, tabs } = options;
  const transport: Transport = {
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    headers: typeof headers === 'function' ? headers : () => headers ?? {},
  };
  const base = baseOf(options.url);
  /** A request, the code of which comes with the first. */
  const request =
    <Name extends keyof Requests>(name: Name) =>
    async (...about: Parameters<Requests[Name]>): Promise<Awaited<ReturnType<Requests[Name]>>> => {
      const { createRequests } = await part(import('./requests.ts'));
      return (createRequests(base, transport)[name] as unknown as (...it: typeof about) => never)(...about);
    };
  const [tell, events] = [request('tell'), request('events')];
  const logs = () => import('./logs.ts');
  const shelf = new Shelf(keep, onError);
  const pagesOf = (of: string, id: string) => (after: string | undefined) => events(of, id, { after, limit: 1000 });
  const way: Way = {
    carrier: tabs
      ? async function* (...it) {
          yield* (await part(import('./tabs.ts'))).amongTabs(way, tabs, base, transport)(...it);
        }
      : undefined,
    streams: new Set(),
    base,
    share,
    detour: (stream) =>
      import('./detour.ts').then(
        (it) => it.takeDetour(way, stream, transport),
        () => {},
      ),
  };
  const streamOf =
    (url: URL, way?: Way, after?: string) =>
    (sink: Sink): Source =>
      opening(url, sink, { ...transport, maxAttempts, startsOver: true, way, after });

  return {
    run(runId, { from = 'start', initial } = {}) {
      const url = below(base, RUNS, checkId(runId, 'runId'), 'stream');
      if (from === 'snapshot') url.searchParams.set('from', from);
      const after = initial && formatCursor(initial.epoch, initial.seq);
      const load = async () => (await logs()).runLog(runId, window, initial);
      return shelf.get(
        `run ${runId} ${from}`,
        (more) => new Run(runId, tell, initial, load, streamOf(url, way, after), pagesOf(RUNS, runId), more),
      );
    },
    thread(threadId) {
      const url = below(base, THREADS, checkId(threadId, 'threadId'), 'stream');
      const load = async () => (await logs()).threadLog(threadId, window);
      return shelf.get(
        `thread ${threadId}`,
        (more) => new LogStore<ThreadSnapshot>(emptyView, load, streamOf(url, way), pagesOf(THREADS, threadId), more),
      );
    },
    runs(filter = {}) {
      const url = withQuery(below(base, RUNS), filter);
      const load = () => import('./run-list.ts').then((it) => new it.RunListContent());
      return shelf.get(
        `runs ${url.search}`,
        (more) =>
          new Store<RunListView>((state) => ({ ...connectionView(state), data: undefined }), load, streamOf(url), more),
      );
    },
    start: request('start'),
    cancel: (runId, about, key) => tell(runId, ['cancel'], about, key) as Promise<CommandOutcome>,
    agents: request('agents'),
    whoami: request('whoami'),
    list: request('list'),
    snapshot: request('snapshot'),
    events: (runId, query) => events(RUNS, runId, query),
    close: () => shelf.close(),
  };
}

const RUNS = 'v1/runs';
const THREADS = 'v1/threads';

function report(error: unknown): void {
  if (typeof reportError === 'function') reportError(error);
  else console.error(error);
}
