/** Everything that access says no with. Why a token was refused is nobody's business but for its having expired. */
import { TelltaleError } from '../../protocol/index.ts';
import type { Scope } from './principal.ts';

export const noCredential = (): TelltaleError =>
  new TelltaleError('unauthorized', 'Say who asks: send an API key or a token as "Authorization: Bearer <token>".');

/** Whether it is `noCredential`. */
export const lacksCredential = (error: unknown): boolean =>
  error instanceof TelltaleError && error.code === 'unauthorized' && error.particulars.reason === undefined;

export const notValid = (): TelltaleError =>
  new TelltaleError('unauthorized', 'The token is not valid.', { reason: 'invalid' });

export const hasExpired = (): TelltaleError =>
  new TelltaleError('unauthorized', 'The token has expired. Get a new one.', { reason: 'expired' });

export const lacksScope = (scope: Scope): TelltaleError =>
  new TelltaleError('forbidden', `This needs the scope "${scope}".`, { scope });

export const cannotTell = (cause: unknown): TelltaleError =>
  new TelltaleError('auth_unavailable', 'Who asks cannot be checked now. Try again in a moment.', {}, { cause });

/**
 * The challenge that goes with a refusal (RFC 6750 section 3); `undefined` where none does.
 */
export function challengeOf({ code, particulars }: TelltaleError): string | undefined {
  if (code === 'unauthorized') {
    const { reason } = particulars;
    if (reason === undefined) return 'Bearer realm="telltale"';
    const why = reason === 'expired' ? 'The token has expired' : 'The token is not valid';
    return `Bearer realm="telltale", error="invalid_token", error_description="${why}"`;
  }
  if (code !== 'forbidden' || particulars.scope === undefined) return undefined;
  return `Bearer realm="telltale", error="insufficient_scope", scope="${particulars.scope}"`;
}
