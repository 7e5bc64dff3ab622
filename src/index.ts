import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  Auth,
  type AuthOptions,
  type DoorChoices,
  type ErrorReport,
  type Listening,
  listenApart,
  type NodeRequest,
  type NodeResponse,
  type OpenApp,
  openApp,
  openDoors,
  type Revoked,
  serveFetch,
  serveNode,
  threadIdOf,
} from './http/index.ts';
import type { Damage } from './log/embedded/index.ts';
import type { Log } from './log/index.ts';
import {
  type BudgetLimits,
  LIMITS,
  type Limits,
  parseBudget,
  type RunSnapshot,
  TelltaleError,
} from './protocol/index.ts';
import {
  type Agent,
  type AgentFunction,
  checkAgentName,
  checkBudget,
  checkCount,
  checkRunLimits,
  executionHosts,
  finished,
  ImplicitRuns,
  loadPrices,
  type Prices,
  type RunLimits,
  Runs,
  type StartRequest,
} from './runs/index.ts';

export {
  type ApiKey,
  type AuthOptions,
  type AuthorizeRequest,
  type DoorChoices,
  type DoorName,
  type DoorOptions,
  type ErrorPlace,
  type ErrorReport,
  type JwtOptions,
  type Listening,
  makeKey,
  type NodeRequest,
  type NodeResponse,
  type Principal,
  type Revoked,
  SCOPES,
  type Scope,
} from './http/index.ts';
export type { Damage } from './log/embedded/index.ts';
export type { Log } from './log/index.ts';
export {
  type AgentRef,
  type ApprovalAnswer,
  type ApprovalRequest,
  type BudgetLimits,
  type Cost,
  type ErrorCode,
  type ErrorInfo,
  type EventData,
  type EventDraft,
  type EventType,
  type Limits,
  type Problem,
  problemOf,
  type RunInput,
  type RunSnapshot,
  type RunStatus,
  type RunWriter,
  TelltaleError,
  type TelltaleEvent,
  type Usage,
} from './protocol/index.ts';
export {
  type Agent,
  type AgentFunction,
  AgentSSEEmitter,
  agentMiddleware,
  currentRun,
  functionMiddleware,
  type PricedCall,
  type PriceFunction,
  type Prices,
  type PriceTable,
  type RunLimits,
  type StartRequest,
} from './runs/index.ts';

/** Streams that another server carries may take so long to end. */
const GRACE_MS = 2_000;

/** How to set up a Telltale. Everything has a default that is safe on a developer's machine. */
export interface TelltaleOptions extends RunLimits {
  /**
   * Where the log is kept: a directory (`./.telltale` by default), the same as `file:<directory>`, or `memory:`, which
   * forgets everything when the process ends.
   */
  readonly store?: string;
  /** Who asks, and what for. Without it everybody who reaches the server may do everything: so it listens on loopback only. */
  readonly auth?: AuthOptions;
  /** Origins beside the server's own whose pages may use it, exactly: `https://app.example`. */
  readonly allowedOrigins?: readonly string[];
  /** Host names beside the loopback ones under which it is reached, without port: `telltale.example`. */
  readonly allowedHosts?: readonly string[];
  /**
   * Doors for the clients of other systems (docs/dialects.md): all are open, `false` closes one, `agent` is what its POST
   * starts.
   */
  readonly doors?: DoorChoices;
  /** `false` leaves the console out, which otherwise is the page at `/`. */
  readonly console?: boolean;
  /** Instead of the published ones (PROTOCOL.md section 9). */
  readonly limits?: Partial<Limits>;
  /** How many runs may wait for their turn (`concurrency`); one more is refused as `overloaded`. 1,000 by default. */
  readonly maxQueued?: number;
  /** The most that any run may spend. Runs and agents can set less, never more. */
  readonly budget?: BudgetLimits;
  /**
   * What model calls cost of which the provider tells only the usage: `'genai-prices'` (the package
   * `@pydantic/genai-prices`, which you install), a table or a function. Without it such a cost is not known.
   */
  readonly prices?: Prices;
  /** Told of every error that is the server's fault. Writes to stderr by default. */
  readonly onError?: ErrorReport;
  /** Told of everything that the store found lost or wrong; viewers are told by new epochs. Writes to stderr by default. */
  readonly onDamage?: (damage: Damage) => void;
}

/** A run that has begun, or waits for its turn: that is in the log. */
export interface StartedRun {
  readonly runId: string;
  readonly threadId: string;
  /** Resolves with the run's snapshot once it has ended, however it ended. */
  finished(): Promise<RunSnapshot>;
}

/** What an agent of a session does. */
export interface AgentActivity {
  /** A UUID, or 1 to 32 characters of `A-Z a-z 0-9 _ -`. */
  readonly sessionId: string;
  readonly agentName: string;
  readonly action: string;
  /** `in-progress`, `completed`, `error`, for example. */
  readonly status: string;
  readonly details?: unknown;
}

/** One log, the agents that write to it, and the servers that show it. */
export interface Telltale {
  /**
   * Registers an agent, before or while the server runs.
   *
   * @example
   * app.agent('crawler', crawl, { concurrency: 2, timeout: 600 });
   *
   * @throws {TelltaleError} `invalid_option` for a name that is taken, or not 1 to 256 characters, and for limits that are none.
   */
  agent(name: string, fn: AgentFunction, about?: Omit<Agent, 'name' | 'fn'>): void;
  /**
   * Starts a run in this process.
   *
   * @throws {TelltaleError} what `Runs.start` and `log` say.
   */
  start(request: StartRequest): Promise<StartedRun>;
  /**
   * Serves HTTP (PROTOCOL.md section 8), without `auth` on loopback addresses only. Port 0 takes any that is free.
   *
   * @throws {TelltaleError} `cannot_listen`, `unsafe_bind`, and what `log` says.
   */
  listen(port?: number, host?: string): Promise<Listening>;
  /**
   * Answers one request, in any host that speaks web `Request` and `Response`: Bun, Deno, Hono, Next.js. `auth`, or the
   * host's own authentication, stands in front of it; `allowedHosts` and `allowedOrigins` apply. Never rejects: a store that cannot
   * be opened is a problem response.
   *
   * @example
   * new Hono().mount('/telltale', app.fetch);
   */
  fetch(request: Request): Promise<Response>;
  /**
   * The same for servers of Node: node:http, node:https, node:http2, Express, Connect, and Fastify by its raw request and
   * response. It answers every request that it is given, and hands none on.
   *
   * @example
   * express().use('/telltale', app.handler);
   */
  handler(request: NodeRequest, response: NodeResponse): Promise<void>;
  /**
   * Tells what an agent of a session does; a session needs no run of its own, and may be one that nobody watches yet.
   * Resolves when it is stored, for viewers at `/sse/agent-activity/{sessionId}`.
   *
   * @throws {TelltaleError} `invalid_request` for a session id that is none, `invalid_event`, and what `log` says.
   */
  emitAgentActivity(activity: AgentActivity): Promise<void>;
  /**
   * Takes the access of a user back, or of everybody of whom it is true: what they watch ends at once (`stream.revoked`),
   * and from now on this process refuses what was issued before: tokens by their `iat`, API keys for good. With a
   * function of your own as `auth.authenticate`, let that refuse first.
   *
   * @returns how many streams and requests were ended.
   * @throws {TelltaleError} `invalid_option` without `auth`.
   */
  revoke(who: Revoked): number;
  /**
   * The log itself, opened with the first call of this, `start`, `listen`, or with the first request.
   *
   * @throws {TelltaleError} `store_locked`, `store_damaged`, `store_version`, `storage_full`.
   */
  log(): Promise<Log>;
  /** Ends the streams, the runs and the store, in this order. Nothing works after it. */
  close(): Promise<void>;
}

/**
 * Telltale in this process. Nothing is opened before it is needed.
 *
 * @example
 * const app = telltale();
 * app.agent('greeter', async (run, name) => run.say(`Hello ${name}.`));
 * const { url } = await app.listen(4747);
 *
 * @throws {TelltaleError} `invalid_option`
 */
export function telltale(options: TelltaleOptions = {}): Telltale {
  const { store = './.telltale', allowedHosts = [], allowedOrigins = [] } = options;
  const { onError = writeError, onDamage = writeDamage } = options;
  const { concurrency, timeout, maxQueued } = options;
  checkRunLimits(options);
  checkCount('maxQueued', maxQueued, 0);
  const auth = options.auth && new Auth(options.auth);
  const budget = options.budget && parseBudget(options.budget, 'invalid_option');
  const openStore = storeOf(store, onDamage);
  openDoors(options.doors);
  const limits: Limits = { ...LIMITS, ...options.limits };
  const served = { auth, limits, allowedHosts, allowedOrigins, doors: options.doors ?? {}, onError };
  const site = options.console === false ? ({ ...served, console: false } as const) : served;
  const agents = new Map<string, Parameters<Runs['register']>>();
  const servers: Promise<Listening>[] = [];
  let embedding: Promise<OpenApp> | undefined;
  let opening: Promise<{ log: Log; runs: Runs }> | undefined;
  let registry: Runs | undefined;
  let sessions: ImplicitRuns | undefined;
  let closing: Promise<void> | undefined;

  async function openAll(): Promise<{ log: Log; runs: Runs }> {
    const price = options.prices && (await loadPrices(options.prices));
    const log = await openStore();
    const runs = new Runs(log, {
      limits,
      ...(concurrency !== undefined && { concurrency }),
      ...(timeout !== undefined && { timeout }),
      ...(maxQueued !== undefined && { maxQueued }),
      ...{ budget, price },
    });
    try {
      // Runs whose process died end now, before anybody can look at them.
      await runs.recover();
    } catch (error) {
      await log.close();
      throw error;
    }
    for (const registration of agents.values()) runs.register(...registration);
    registry = runs;
    return { log, runs };
  }

  async function open(): Promise<{ log: Log; runs: Runs }> {
    if (closing) throw new TelltaleError('log_closed', 'This Telltale was closed. Make a new one.');
    if (!opening) {
      opening = openAll();
      // What failed once, such as a directory in use, may go well later.
      opening.catch(() => {
        opening = undefined;
      });
    }
    return opening;
  }

  /** For all requests that other servers hand to this one: a hub of its own, opened with the first of them. */
  function embed(): Promise<OpenApp> {
    if (!embedding) {
      embedding = open().then((opened) => openApp({ ...opened, ...site }));
      embedding.catch(() => {
        embedding = undefined;
      });
    }
    return embedding;
  }
  const embedded = async () => (await embed()).app;

  async function closeEmbedded(): Promise<void> {
    const it = await embedding?.catch(() => undefined);
    // The connections are the host's: one that takes nothing must not hold the store open.
    await Promise.race([it?.hub.close(), sleep(GRACE_MS, undefined, { ref: false })]);
  }

  async function closeAll(): Promise<void> {
    const closed = servers.map((server) => server.then((it) => it.close()).catch(() => undefined));
    await Promise.all([...closed, closeEmbedded()]);
    const opened = await opening?.catch(() => undefined);
    await opened?.runs.close();
    await opened?.log.close();
  }

  const app: Telltale = {
    agent(name, fn, about = {}) {
      checkAgentName(name, agents);
      checkRunLimits(about);
      checkBudget(about.budget, budget);
      agents.set(name, [name, fn, about]);
      registry?.register(name, fn, about);
    },

    async start(request) {
      const { log, runs } = await open();
      const { runId, threadId } = await runs.start(request);
      return { runId, threadId, finished: () => finished(log, runs, runId, threadId) };
    },

    listen(port = 4747, host = '127.0.0.1') {
      const server = open().then((opened) => listenApart({ ...opened, ...site }, port, host));
      servers.push(server);
      return server;
    },

    fetch: (request) => serveFetch(embedded, onError, request),

    handler: (request, response) => serveNode(embedded, onError, request, response),

    async emitAgentActivity({ sessionId, agentName, action, status, details }) {
      const threadId = threadIdOf(sessionId, 'sessionId');
      const data = { action, status, ...(details !== undefined && { details }) };
      const agent = { id: agentName, name: agentName, path: agentName };
      const { log, runs } = await open();
      sessions ??= new ImplicitRuns(log, runs, limits);
      await sessions.appendInTurn(threadId, { events: [{ type: 'activity.reported', data, agent }] });
    },

    revoke(who) {
      if (auth) return auth.revoke(who);
      throw new TelltaleError('invalid_option', 'revoke: nobody is known by name here. Set "auth" first.');
    },

    log: async () => (await open()).log,

    close() {
      executionHosts.delete(app);
      closing ??= closeAll();
      return closing;
    },
  };
  executionHosts.set(app, { runs: async () => (await open()).runs, onError, live: new Map() });
  return app;
}

/** How to open the store that a URL or directory names. Loaded only when chosen: `memory:` never loads LevelDB. */
function storeOf(store: string, onDamage: (damage: Damage) => void): () => Promise<Log> {
  if (store === 'memory:') return async () => (await import('./log/memory.ts')).openMemory();
  const dir = directoryOf(store);
  if (!dir) {
    throw new TelltaleError(
      'invalid_option',
      `store: ${JSON.stringify(store)} is none. Use "memory:", "file:<directory>" or the path of a directory.`,
    );
  }
  return async () => (await import('./log/embedded/index.ts')).openEmbedded({ dir, onDamage });
}

function directoryOf(store: string): string | undefined {
  if (store.startsWith('file:///')) return fileURLToPath(store);
  if (store.startsWith('file://')) return undefined;
  if (store.startsWith('file:')) return store.slice('file:'.length);
  // One letter before the colon is a drive.
  return /^[a-z][a-z0-9+.-]+:/i.test(store) ? undefined : store;
}

function writeError(error: unknown, { errorId, method, path }: Parameters<ErrorReport>[1]): void {
  console.error(`telltale: error ${errorId} at ${JSON.stringify(`${method} ${path}`)}`, error);
}

function writeDamage({ where, what }: Damage): void {
  console.error(`telltale: the store is damaged at ${JSON.stringify(where)}: ${JSON.stringify(what)}`);
}
