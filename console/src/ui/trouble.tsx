import './trouble.css';
import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import type { RunView } from 'telltale/client';
import { useRenewal } from '../session/session.ts';
import { SignIn } from '../session/sign-in.tsx';

type Trouble = NonNullable<RunView['error']>;

interface Saying {
  readonly title: string;
  readonly text: string;
}

const SAYINGS: Partial<Record<Trouble['code'], Saying>> = {
  run_not_found: {
    title: 'There is no such run here',
    text: 'It may have been started on another server, or belong to somebody else: a server does not tell which.',
  },
  thread_not_found: {
    title: 'There is no such conversation here',
    text: 'It may be on another server, or belong to somebody else: a server does not tell which.',
  },
  run_deleted: {
    title: 'This run was deleted',
    text: 'Its events are gone for good; its number is not given out again.',
  },
  forbidden: {
    title: 'You may not see this',
    text: 'The key or token you signed in with does not allow it. Sign in with another one, or ask whoever gave it to you.',
  },
  access_revoked: {
    title: 'You may not see this any longer',
    text: 'Access was taken back while it was shown. Sign in again, or ask whoever gave it to you.',
  },
  unreachable: {
    title: 'The server does not answer',
    text: 'It may have stopped, or the network may be gone. Runs go on without this page; nothing is lost by waiting.',
  },
};

const stay = (): void => {};

/** What went wrong, in a sentence, and a way forward. */
export function TroublePanel({ error, retry }: { error: Trouble; retry?: () => void }): ReactElement {
  useRenewal(retry ?? stay);
  if (error.code === 'unauthorized') return <SignIn />;
  const { title, text } = SAYINGS[error.code] ?? { title: 'The server said no', text: error.message };
  return (
    <section className="panel trouble" role="alert">
      <h2>{title}</h2>
      <p>{text}</p>
      <p className="trouble-ways">
        {retry && (
          <button type="button" onClick={retry}>
            Try again
          </button>
        )}
        <Link to="/">All runs</Link>
        <code>{error.code}</code>
      </p>
    </section>
  );
}
