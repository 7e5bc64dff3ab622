import './access-lost.css';
import { type ReactElement, useState } from 'react';
import type { RunView } from 'telltale/client';
import { Dialog } from '../ui/dialog.tsx';
import { useRenewal } from './session.ts';
import { SignInForm } from './sign-in.tsx';

interface AccessLostProps {
  /** Why the connection is closed. */
  readonly error: RunView['error'];
  readonly reconnect: () => void;
}

/**
 * That one may watch no longer what is still shown, and the way back: signed in again, it goes on where it was. Nothing
 * where that is not so.
 */
export function AccessLost({ error, reconnect }: AccessLostProps): ReactElement | null {
  const [isOpen, setOpen] = useState(false);
  useRenewal(reconnect);
  if (error?.code !== 'unauthorized' && error?.code !== 'access_revoked') return null;
  return (
    <section className="access-lost" role="alert">
      <p>
        {error.code === 'access_revoked'
          ? 'Your access was taken back.'
          : 'What you signed in with has expired, or is not accepted any longer.'}{' '}
        What is shown stays, and says nothing new; the run goes on without this page.
      </p>
      <button type="button" className="primary" onClick={() => setOpen(true)}>
        Sign in again
      </button>
      <Dialog title="Sign in again" isOpen={isOpen} onClose={() => setOpen(false)}>
        <SignInForm onDone={() => setOpen(false)} />
        <button type="button" className="quiet" onClick={() => setOpen(false)}>
          Close
        </button>
      </Dialog>
    </section>
  );
}
