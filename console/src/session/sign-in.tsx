import './sign-in.css';
import { type FormEvent, type ReactElement, useId, useState } from 'react';
import { clientFor } from './client.ts';
import { signIn, useSession } from './session.ts';

/** Asks for a key or token, and tries it before it is kept. */
export function SignIn(): ReactElement {
  const { token: refused } = useSession();
  const [isPending, setPending] = useState(false);
  const [error, setError] = useState<string>();
  const id = useId();
  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const token = String(new FormData(event.currentTarget).get('token')).trim();
    if (token === '') return;
    setPending(true);
    setError(undefined);
    const client = clientFor(token);
    try {
      await client.list({ limit: 1 });
      signIn(token);
    } catch (error) {
      setError(error instanceof Error ? error.message : String(error));
    } finally {
      client.close();
      setPending(false);
    }
  };
  return (
    <form className="panel sign-in" onSubmit={submit}>
      <h2>Sign in</h2>
      <p>
        {refused === undefined
          ? 'This server shows runs to those with an API key or a token only.'
          : 'What you signed in with is not accepted any longer.'}{' '}
        It is kept in this tab and forgotten with it.
      </p>
      <label htmlFor={id}>API key or token</label>
      <input id={id} name="token" type="password" autoComplete="off" spellCheck={false} required />
      {error !== undefined && (
        <p role="alert" className="sign-in-error">
          ✕ {error}
        </p>
      )}
      <button type="submit" className="primary" disabled={isPending}>
        {isPending ? 'Signing in…' : 'Sign in'}
      </button>
    </form>
  );
}
