import { useNavigate } from '@tanstack/react-router';
import { type ReactElement, useRef } from 'react';
import { useShortcuts } from '../shell/shortcuts.ts';
import { STATUS_WORDS } from '../ui/format.ts';
import type { RunsSearch } from './search.ts';

const SINCE_WORDS = { '1h': 'Last hour', '24h': 'Last 24 h', '7d': 'Last 7 days' } as const;

/** What the list shows. All of it stands in the address: a link shows the same list. */
export function Filters({ search, agents }: { search: RunsSearch; agents: readonly string[] }): ReactElement {
  const navigate = useNavigate({ from: '/' });
  const find = useRef<HTMLInputElement>(null);
  useShortcuts('Runs', [{ keys: '/', label: 'Find a run', run: () => find.current?.focus() }]);
  const set = (name: keyof RunsSearch, value: string): void => {
    void navigate({ search: (before) => ({ ...before, [name]: value || undefined }), replace: true });
  };
  return (
    <search className="runs-filters">
      <input
        ref={find}
        type="search"
        aria-label="Find by id, agent or title"
        placeholder="Find by id, agent, title"
        value={search.find ?? ''}
        onChange={({ target }) => set('find', target.value)}
      />
      <select aria-label="Status" value={search.status ?? ''} onChange={({ target }) => set('status', target.value)}>
        <option value="">Any status</option>
        {Object.entries(STATUS_WORDS).map(([status, word]) => (
          <option key={status} value={status}>
            {word}
          </option>
        ))}
      </select>
      <select aria-label="Agent" value={search.agent ?? ''} onChange={({ target }) => set('agent', target.value)}>
        <option value="">Any agent</option>
        {agents.map((agent) => (
          <option key={agent}>{agent}</option>
        ))}
      </select>
      <select aria-label="Time" value={search.since ?? ''} onChange={({ target }) => set('since', target.value)}>
        <option value="">Any time</option>
        {Object.entries(SINCE_WORDS).map(([since, word]) => (
          <option key={since} value={since}>
            {word}
          </option>
        ))}
      </select>
    </search>
  );
}

/** The filters that are set, each with a way to take it away. */
export function FilterChips({ search }: { search: RunsSearch }): ReactElement {
  const navigate = useNavigate({ from: '/' });
  const words: Readonly<Record<keyof RunsSearch, string | undefined>> = {
    status: search.status && STATUS_WORDS[search.status],
    agent: search.agent,
    since: search.since && SINCE_WORDS[search.since],
    find: search.find && `“${search.find}”`,
  };
  return (
    <ul className="runs-chips" aria-label="Filters">
      {Object.entries(words).map(
        ([name, word]) =>
          word !== undefined && (
            <li key={name}>
              <button
                type="button"
                aria-label={`Without the filter ${word}`}
                onClick={() => void navigate({ search: (before) => ({ ...before, [name]: undefined }), replace: true })}
              >
                {word} ✕
              </button>
            </li>
          ),
      )}
      <li>
        <button type="button" className="quiet" onClick={() => void navigate({ search: {}, replace: true })}>
          Show all runs
        </button>
      </li>
    </ul>
  );
}
