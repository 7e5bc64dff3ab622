/** What the built-in rules say: nothing but this decides, unless an `authorize` function of the operator's does. */
import type { Principal, Scope } from './principal.ts';

/** Whose a run or thread is, as it was when it began. */
export interface Owned {
  readonly owner?: string;
  readonly tenant?: string;
}

export const isOperator = ({ scopes }: Principal): boolean => scopes.includes('admin');

/** Whether somebody may do so at all, to whatever run it may be. Who starts runs fills them. */
export const hasScope = (principal: Principal, action: Scope): boolean =>
  principal.scopes.includes(action) ||
  isOperator(principal) ||
  (action === 'write' && principal.scopes.includes('start'));

/** Whether somebody who has the scope may do so to this one. What nobody owns is for operators alone. */
export function isWithinReach(principal: Principal, action: Scope, { owner, tenant }: Owned): boolean {
  if (isOperator(principal)) return true;
  // User ids of different tenants may be the same text; what nobody owns is of no tenant, which is one, too.
  if (owner === undefined || tenant !== principal.tenantId) return false;
  return owner === principal.userId || (action === 'write' && principal.scopes.includes('write'));
}
