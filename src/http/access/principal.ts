import { TelltaleError } from '../../protocol/index.ts';

/**
 * What somebody may be granted:
 * - `read`: to see the runs and threads that are one's own.
 * - `start`: to start runs, which are one's own then, and to append to those.
 * - `write`: to append to any run of one's tenant, and to bring runs in: for producers.
 * - `control`: to cancel, answer and delete one's own runs.
 * - `admin`: everything, of all tenants: for operators.
 */
export const SCOPES = ['read', 'start', 'write', 'control', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** Who asks. */
export interface Principal {
  /** 1 to 256 characters; within a tenant there is one of this name. Runs keep it as their owner. */
  readonly userId: string;
  /** 1 to 256 characters. Absent: of the deployment itself, which is then like a tenant of its own. */
  readonly tenantId?: string;
  readonly scopes: readonly Scope[];
  /** Milliseconds since 1970. Open streams end then, as requests are refused. */
  readonly expiresAt?: number;
  /** Milliseconds since 1970 at which whoever vouches for it last did: see `revoke`. */
  readonly issuedAt?: number;
}

/** @throws {TelltaleError} `internal` for what an own function must not say; `what` names it. */
export function checkPrincipal(principal: Principal, what: string): Principal {
  const { userId, tenantId, scopes, expiresAt, issuedAt } = principal;
  if (!isName(userId) || (tenantId !== undefined && !isName(tenantId))) {
    throw new TelltaleError('internal', `${what}: userId (and tenantId) must be texts of 1 to 256 characters.`);
  }
  if (!Array.isArray(scopes) || !scopes.every(isScope)) {
    throw new TelltaleError('internal', `${what}: scopes must be a list of ${SCOPES.join(', ')}.`);
  }
  if (![expiresAt, issuedAt].every((it) => it === undefined || Number.isFinite(it))) {
    throw new TelltaleError('internal', `${what}: expiresAt and issuedAt must be milliseconds since 1970.`);
  }
  return principal;
}

export const isScope = (value: unknown): value is Scope => SCOPES.includes(value as Scope);

export const isName = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= 256;
