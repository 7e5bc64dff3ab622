import './frame.css';
import { Link, Outlet, useNavigate } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { Account } from '../session/account.tsx';
import { Help } from './help.tsx';
import { Palette } from './palette.tsx';
import { useShortcuts } from './shortcuts.ts';
import { ThemeChoice } from './theme.tsx';

/** What every screen stands in. */
export function Frame(): ReactElement {
  const navigate = useNavigate();
  useShortcuts('Everywhere', [
    { keys: 'g r', label: 'Go to the runs', run: () => void navigate({ to: '/' }) },
    { keys: 'g c', label: 'Go to the chat', run: () => void navigate({ to: '/chat' }) },
  ]);
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
        <Account />
        <Palette />
        <Help />
        <ThemeChoice />
      </header>
      <main id="main" tabIndex={-1}>
        <Outlet />
      </main>
    </>
  );
}
