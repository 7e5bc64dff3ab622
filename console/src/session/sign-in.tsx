import './sign-in.css';
import { type FormEvent, type ReactElement, useId, useState } from 'react';
import { TelltaleError } from 'telltale/protocol';
import { visible } from 'telltale/react/parts';
import { tryToken } from './client.ts';
import { signIn, useSession } from './session.ts';

/** A panel in place of what cannot be shown to nobody. */
export function SignIn(): ReactElement {
  return (
    <section className="panel sign-in">
      <h2>Sign in</h2>
      <SignInForm />
    </section>
  );
}

/** Asks for a key or token, and tries it before it is kept. */
export function SignInForm({ onDone }: { readonly onDone?: () => void }): ReactElement {
  const { token: before } = useSession();
  const [isPending, setPending] = useState(false);
  const [problem, setProblem] = useState<string>();
  const id = useId();
  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const token = String(new FormData(event.currentTarget).get('token')).trim();
    if (token === '' || isPending) return;
    setPending(true);
    setProblem(undefined);
    try {
      const { principal } = await tryToken(token);
      if (principal) {
        signIn(token, principal);
        onDone?.();
      } else setProblem('This server asks nobody who they are: it needs no key. Nothing was kept.');
    } catch (error) {
      setProblem(problemOf(TelltaleError.from(error)));
    } finally {
      setPending(false);
    }
  };
  return (
    <form className="sign-in-form" onSubmit={submit}>
      <p>
        {before === undefined
          ? 'This server shows runs to those with an API key or a token only.'
          : 'What you signed in with is not accepted any longer.'}{' '}
        Yours is kept in this tab alone, and forgotten with it.
      </p>
      <label htmlFor={id}>API key or token</label>
      <input
        id={id}
        name="token"
        type="password"
        autoComplete="off"
        spellCheck={false}
        required
        aria-invalid={problem !== undefined}
        aria-describedby={problem === undefined ? undefined : `${id}-problem`}
      />
      {problem !== undefined && (
        <p id={`${id}-problem`} role="alert" className="sign-in-problem">
          ✕ {problem}
        </p>
      )}
      <button type="submit" className="primary" aria-disabled={isPending || undefined}>
        {isPending ? 'Signing in…' : 'Sign in'}
      </button>
    </form>
  );
}

/** Why a key was not taken. Nothing is said of what was typed: it may be half of another one. */
function problemOf({ code, message }: TelltaleError): string {
  switch (code) {
    case 'unauthorized':
      return `The server does not accept it: ${visible(message)}`;
    case 'auth_unavailable':
      return 'The server cannot check it now: what it asks does not answer. Try again in a moment.';
    case 'unreachable':
      return 'The server does not answer. Nothing was kept; try again when it is back.';
    default:
      return visible(message);
  }
}
