/** The one place that decides who may see, write and steer what. Routes, streams, lists and imports ask here. */
import type { Context } from 'hono';
import { isTombstone, type Log, ownerMark, type RunRecord, type Tombstone } from '../../log/index.ts';
import { type Head, isId, isVoid, type RevokedReason, TelltaleError } from '../../protocol/index.ts';
import type { Admit } from '../../runs/index.ts';
import { findRun, findThread, runNotFound, threadNotFound } from '../lookup.ts';
import type { Auth } from './auth.ts';
import type { AuthorizeRequest } from './options.ts';
import type { Issued } from './permits.ts';
import type { Principal, Scope } from './principal.ts';
import { lacksCredential, lacksScope } from './refusals.ts';
import { hasScope, isOperator, isWithinReach, type Owned } from './rules.ts';
import { principalOf, setVisit, type Visit, visitOf } from './visit.ts';

/** What a permit is for: every run and thread whose events it lets through. */
export interface Watched {
  readonly runIds?: readonly string[];
  readonly threadIds?: readonly string[];
}

/** What is foreign is answered as what is not there, word for word. A server without authentication is open to all. */
export class Access {
  readonly #log: Log;
  readonly #auth: Auth | undefined;

  constructor(log: Log, auth: Auth | undefined) {
    this.#log = log;
    this.#auth = auth;
  }

  get isGuarded(): boolean {
    return this.#auth !== undefined;
  }

  /**
   * Finds out who asks, and whether he may do so at all.
   *
   * @throws {TelltaleError} what `Auth.visit` does; `forbidden` where the scope is missing.
   */
  async enter(c: Context, action: Scope): Promise<Visit | undefined> {
    if (!this.#auth) return undefined;
    const visit = await this.#auth.visit(c);
    if (!hasScope(visit.principal, action)) throw lacksScope(action);
    setVisit(c, visit);
    return visit;
  }

  /**
   * Who asks, if somebody says so, where nothing is needed.
   *
   * @throws {TelltaleError} what `Auth.visit` does, but for a request without a credential.
   */
  async caller(c: Context): Promise<Principal | undefined> {
    try {
      return (await this.#auth?.visit(c))?.principal;
    } catch (error) {
      if (lacksCredential(error)) return undefined;
      throw error;
    }
  }

  /** @throws {TelltaleError} `run_not_found`, whether it is not there or not for whoever asks; `run_deleted` to its owner. */
  async run(c: Context, action: Scope, runId: string): Promise<RunRecord> {
    const principal = principalOf(c);
    try {
      const run = await findRun(this.#log, runId);
      if (!principal || (await this.#mayRun(principal, action, run))) return run;
    } catch (error) {
      const tombstone = tombstoneIn(error);
      if (!principal || !tombstone || isWhose(principal, tombstone)) throw error;
    }
    throw runNotFound(runId);
  }

  /** @throws {TelltaleError} `thread_not_found`, whether it is not there or not for whoever asks. */
  async thread(c: Context, action: Scope, threadId: string): Promise<Head> {
    const principal = principalOf(c);
    const head = await findThread(this.#log, threadId);
    if (!principal || (await this.#mayThread(principal, action, threadId, head))) return head;
    throw threadNotFound(threadId);
  }

  /** Whose the runs are that whoever asks opens; nobody's on an open server. */
  ownerOf(c: Context): Owned {
    const principal = principalOf(c);
    if (!principal) return {};
    const { userId: owner, tenantId: tenant } = principal;
    return tenant === undefined ? { owner } : { owner, tenant };
  }

  /** Which runs a list shows: one's own, whatever the scopes; all of them to an operator. */
  listedOf(c: Context): Owned {
    const principal = principalOf(c);
    if (!principal || isOperator(principal)) return {};
    return { owner: principal.userId, tenant: principal.tenantId ?? '' };
  }

  /**
   * Decides where whoever asks may open runs: in new threads, and in those that are his to write to. One that bears the
   * run's own id, and is somebody else's, is told as the run's id being taken.
   */
  admit(c: Context): Admit | undefined {
    const principal = principalOf(c);
    if (!principal) return undefined;
    return async (threadId, runId) => {
      const head = isId(threadId) ? await this.#log.head(threadId) : undefined;
      if (!head) return 'new';
      if (await this.#mayThread(principal, 'write', threadId, head)) return 'known';
      if (threadId !== runId) throw threadNotFound(threadId);
      // Deleted, and his: then he is told so.
      await this.#recordOf(c, runId);
      throw runExists(runId);
    };
  }

  /** The same for a run that is brought in; one that was broken off may be gone on with by those who may write to it. */
  admitImport(c: Context): Admit | undefined {
    const admit = this.admit(c);
    return (
      admit &&
      (async (threadId, runId) => {
        const found = await this.#recordOf(c, runId);
        if (found && !(await this.#mayRun(principalOf(c)!, 'write', found))) throw runExists(runId);
        return admit(threadId, runId);
      })
    );
  }

  /** What a refusal to open a run may say: that a foreign run of this id was deleted is nobody's business. */
  explain(c: Context, error: unknown): unknown {
    const principal = principalOf(c);
    const tombstone = tombstoneIn(error);
    return principal && tombstone && !isWhose(principal, tombstone) ? runExists(tombstone.runId) : error;
  }

  /** For what stays open: decided anew before each page, every 15 s, and at once when it is revoked. */
  permit(c: Context, action: Scope, watched: Watched = {}): Issued | undefined {
    const visit = visitOf(c);
    if (!visit || !this.#auth) return undefined;
    const { runIds = [], threadIds = [] } = watched;
    // Whose a run is never changes; a thread is another's when the oldest of its runs is deleted.
    const canChange = threadIds.length > 0 || (this.#auth.authorize !== undefined && runIds.length > 0);
    const decide = visit.again || canChange ? () => this.#decide(c, visit, action, runIds, threadIds) : undefined;
    return this.#auth.permits.issue(visit, decide);
  }

  #recordOf(c: Context, runId: string): Promise<RunRecord | undefined> {
    return this.#log.runs.get(runId).catch((error) => {
      throw this.explain(c, error);
    });
  }

  async #decide(
    c: Context,
    { principal, again }: Visit,
    action: Scope,
    runIds: readonly string[],
    threadIds: readonly string[],
  ): Promise<RevokedReason | undefined> {
    const now = again ? await again() : principal;
    const isSame = now?.userId === principal.userId && now.tenantId === principal.tenantId;
    // Any scope less: what he sees may be what an operator saw. On the next connection all is decided by the new ones.
    const isLess = !now || principal.scopes.some((it) => !now.scopes.includes(it));
    const isOver = now?.expiresAt !== undefined && now.expiresAt <= Date.now();
    if (!isSame || isLess || isOver) return 'expired';
    const answers = await Promise.allSettled([
      ...(this.#auth?.authorize ? runIds : []).map((id) => this.run(c, action, id)),
      ...threadIds.map((id) => this.thread(c, action, id)),
    ]);
    const failure = answers.find((it) => it.status === 'rejected');
    if (!failure) return undefined;
    const { code } = TelltaleError.from(failure.reason);
    // One that is deleted is told by its own frame. Of several, those that are left go on: on the next connection.
    if (code === 'run_deleted') return undefined;
    const isFinal = (code === 'run_not_found' || code === 'thread_not_found') && runIds.length + threadIds.length === 1;
    return isFinal ? 'revoked' : 'expired';
  }

  #mayRun(principal: Principal, action: Scope, run: RunRecord): Promise<boolean> {
    const { runId, threadId, agent } = run;
    return this.#may(principal, action, { run: { runId, threadId, agent, ...ownedBy(run) } }, run);
  }

  async #mayThread(principal: Principal, action: Scope, threadId: string, head: Head): Promise<boolean> {
    const owned = ownedBy(await this.#oldestRun(threadId, head));
    return this.#may(principal, action, { thread: { threadId, ...owned } }, owned);
  }

  async #may(
    principal: Principal,
    action: Scope,
    what: Pick<AuthorizeRequest, 'run' | 'thread'>,
    owned: Owned,
  ): Promise<boolean> {
    const allowed = isWithinReach(principal, action, owned);
    const authorize = this.#auth?.authorize;
    // Whatever else it returns, a promise of a promise or a row of a table, is no yes.
    return authorize ? (await authorize({ principal, action, ...what, allowed })) === true : allowed;
  }

  /** The run of the oldest event that the thread still has: nobody else's can have begun in it. */
  async #oldestRun(threadId: string, head: Head): Promise<RunRecord | undefined> {
    for (let after = head.first - 1; ; ) {
      const { blocks } = await this.#log.read(threadId, after, 1);
      if (blocks.length === 0) return undefined;
      for (const block of blocks) {
        for (let seq = block.first; seq <= block.last; seq++) {
          const entry = block.entry(seq);
          const run = isVoid(entry) ? undefined : await this.#log.runs.get(entry.runId).catch(unlessDeleted);
          if (run) return run;
        }
        after = block.last;
      }
    }
  }
}

function ownedBy(run: Owned | undefined): Owned {
  const { owner, tenant } = run ?? {};
  return { ...(owner !== undefined && { owner }), ...(tenant !== undefined && { tenant }) };
}

const runExists = (runId: string): TelltaleError =>
  new TelltaleError('run_exists', `Run ${runId} exists already. Choose another id.`, { runId });

/** Whether somebody may know that there was this run: its owner, and operators. */
function isWhose(principal: Principal, { runId, ownerMark: mark }: Tombstone): boolean {
  if (isOperator(principal)) return true;
  const { userId: owner, tenantId: tenant } = principal;
  return mark === ownerMark({ runId, owner, ...(tenant !== undefined && { tenant }) });
}

function tombstoneIn(error: unknown): Tombstone | undefined {
  if (!(error instanceof TelltaleError) || error.code !== 'run_deleted') return undefined;
  return isTombstone(error.cause as Tombstone) ? (error.cause as Tombstone) : undefined;
}

function unlessDeleted(error: unknown): undefined {
  if (!(error instanceof TelltaleError) || error.code !== 'run_deleted') throw error;
}
