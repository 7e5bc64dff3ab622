import { type ErrorComponentProps, Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';

/** A fault of the console itself. Runs are not touched by it. */
export function Broken({ error, reset }: ErrorComponentProps): ReactElement {
  return (
    <section className="panel" role="alert">
      <h1>This page has a fault</h1>
      <p>
        The runs go on; only what is shown here has stopped:{' '}
        <code>{error instanceof Error ? error.message : String(error)}</code>
      </p>
      <p>
        <button type="button" onClick={reset}>
          Try again
        </button>{' '}
        <Link to="/">All runs</Link>
      </p>
    </section>
  );
}
