import './frame.css';
import { Link, Outlet } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { Help } from './help.tsx';
import { ThemeChoice } from './theme.tsx';

/** What every screen stands in. */
export function Frame(): ReactElement {
  return (
    <>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <header className="frame-header">
        <Link to="/" className="brand">
          Telltale
        </Link>
        <nav aria-label="Screens">
          <Link to="/" activeOptions={{ exact: true, includeSearch: false }}>
            Runs
          </Link>
          <Link to="/chat">Chat</Link>
        </nav>
        <span className="frame-space" />
        <Help />
        <ThemeChoice />
      </header>
      <main id="main" tabIndex={-1}>
        <Outlet />
      </main>
    </>
  );
}
