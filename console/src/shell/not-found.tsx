import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';

export function NotFound(): ReactElement {
  return (
    <section className="panel">
      <h1>There is no page at this address</h1>
      <p>
        It may have been typed or copied incompletely. <Link to="/">All runs</Link> are in the list.
      </p>
    </section>
  );
}
