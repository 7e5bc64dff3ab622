import './account.css';
import { useQuery } from '@tanstack/react-query';
import { type ReactElement, useState } from 'react';
import { TelltaleError } from 'telltale/protocol';
import { useTelltale } from 'telltale/react';
import { visible } from 'telltale/react/parts';
import { Dialog } from '../ui/dialog.tsx';
import { signOut, useSession } from './session.ts';
import { SignInForm } from './sign-in.tsx';

/** Who one is here, and the way in and out. Nothing where the server asks nobody. */
export function Account(): ReactElement | null {
  const client = useTelltale();
  const { token, principal: signedIn } = useSession();
  const [isOpen, setOpen] = useState(false);
  // Whoever signed in here was told whom that makes; a cookie tells nothing by itself.
  const { data, error } = useQuery({
    queryKey: ['whoami'],
    queryFn: () => client.whoami(),
    enabled: token === undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const principal = signedIn ?? data?.principal;
  if (principal) {
    const { userId, tenantId, scopes } = principal;
    return (
      <span className="account">
        <bdi title={`${tenantId === undefined ? '' : `${visible(tenantId)} · `}may: ${scopes.join(', ') || 'nothing'}`}>
          <span className="sr-only">Signed in as </span>
          {visible(userId)}
        </bdi>
        {token !== undefined && (
          <button type="button" className="quiet" title={`Signed in as ${visible(userId)}`} onClick={signOut}>
            Sign out
          </button>
        )}
      </span>
    );
  }
  const isRefused = error !== null && TelltaleError.from(error).code === 'unauthorized';
  if (!data?.authentication && !isRefused) return null;
  return (
    <>
      <button type="button" className="quiet" onClick={() => setOpen(true)}>
        Sign in
      </button>
      <Dialog title="Sign in" isOpen={isOpen} onClose={() => setOpen(false)}>
        <SignInForm onDone={() => setOpen(false)} />
        <button type="button" className="quiet" onClick={() => setOpen(false)}>
          Close
        </button>
      </Dialog>
    </>
  );
}
