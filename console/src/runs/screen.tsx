import './runs.css';
import { getRouteApi } from '@tanstack/react-router';
import { type ReactElement, useMemo, useRef, useState } from 'react';
import type { ListedRun } from 'telltale/client';
import { TelltaleError } from 'telltale/protocol';
import { useRuns } from 'telltale/react';
import { AccessLost } from '../session/access-lost.tsx';
import { useShortcuts } from '../shell/shortcuts.ts';
import { plural } from '../ui/format.ts';
import { ListConnection } from '../ui/list-connection.tsx';
import { useTitle } from '../ui/title.ts';
import { TroublePanel } from '../ui/trouble.tsx';
import { useArrivals } from './arrivals.ts';
import { FilterChips, Filters } from './filters.tsx';
import { Row } from './row.tsx';
import { type RunsSearch, SINCE } from './search.ts';
import { StartDialog, useAgents } from './start.tsx';
import { useOlder } from './use-older.ts';
import { Welcome } from './welcome.tsx';

const route = getRouteApi('/');

/** So many of the newest runs are live. */
const LIVE = 100;

/** Every run, live. */
export function RunsScreen(): ReactElement {
  const search = route.useSearch();
  const { data: agents } = useAgents();
  const [isStarting, setStarting] = useState(false);
  useTitle('Runs');
  useShortcuts('Runs', [{ keys: 'c', label: 'Start a run', run: () => setStarting(true) }]);
  const { find, ...asked } = search;
  return (
    <div className="runs">
      <header className="runs-header">
        <h1>Runs</h1>
        <button type="button" className="primary" onClick={() => setStarting(true)}>
          New run
        </button>
      </header>
      <Filters search={search} agents={agents?.map(({ name }) => name) ?? []} />
      {/* Another filter is another list: what came to one tells nothing of the other. */}
      <List key={JSON.stringify(asked)} search={search} find={find?.toLowerCase()} />
      <StartDialog isOpen={isStarting} onClose={() => setStarting(false)} />
    </div>
  );
}

function List({ search, find }: { search: RunsSearch; find: string | undefined }): ReactElement {
  const { status, agent, since } = search;
  const filter = useMemo(
    () => ({
      ...(status && { status }),
      ...(agent !== undefined && { agent }),
      ...(since && { since: new Date(Date.now() - SINCE[since]).toISOString() }),
    }),
    [status, agent, since],
  );
  const list = useRuns({ ...filter, limit: LIVE });
  const { data } = list;
  const arrivals = useArrivals(data);
  const older = useOlder(filter, data ?? NONE, (data?.length ?? 0) >= LIVE);
  const table = useRef<HTMLTableElement>(null);
  useShortcuts('Runs', [
    { keys: 'n', label: 'Show the new runs', run: arrivals.show },
    { keys: 'j', label: 'Next run', run: () => step(table.current, 1) },
    { keys: 'k', label: 'Run before', run: () => step(table.current, -1) },
  ]);
  const all = [...arrivals.shown, ...older.runs];
  const shown = find === undefined ? all : all.filter((run) => matches(run, find));
  const running = data?.filter((run) => run.status === 'running').length ?? 0;
  const isFiltered = Object.keys(search).length > 0;

  if (list.connection === 'closed' && list.error && !data) {
    return <TroublePanel error={list.error} retry={list.reconnect} />;
  }
  return (
    <>
      {list.connection === 'closed' && <AccessLost error={list.error} reconnect={list.reconnect} />}
      <div className="runs-line">
        <ListConnection list={list}>{running > 0 ? `${running} running` : undefined}</ListConnection>
        {isFiltered && <FilterChips search={search} />}
      </div>
      {arrivals.waiting > 0 && (
        <button type="button" className="runs-new" onClick={arrivals.show}>
          ▲ {plural(arrivals.waiting, 'new run')} <kbd>n</kbd>
        </button>
      )}
      {!data ? (
        <Skeleton isWaiting={list.connection === 'reconnecting'} />
      ) : shown.length === 0 ? (
        isFiltered ? (
          <p className="panel">
            {older.hasMore
              ? `None of the newest ${plural(all.length, 'run')} matches. Older ones are looked through when they are loaded.`
              : 'No run matches these filters.'}
          </p>
        ) : (
          <Welcome />
        )
      ) : (
        <table ref={table} className="runs-table">
          <thead>
            <tr>
              <th scope="col">Status</th>
              <th scope="col">Run</th>
              <th scope="col" className="runs-wide">
                Step
              </th>
              <th scope="col" className="runs-number runs-wide">
                Events
              </th>
              <th scope="col" className="runs-number">
                Last event
              </th>
              <th scope="col" className="runs-number runs-wide">
                Cost
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((run) => (
              <Row key={run.runId} run={run} />
            ))}
          </tbody>
        </table>
      )}
      {data && older.hasMore && (
        <p>
          <button type="button" onClick={older.load} disabled={older.isPending}>
            {older.isPending ? 'Loading…' : 'Older runs'}
          </button>
        </p>
      )}
      {older.error && <TroublePanel error={TelltaleError.from(older.error)} retry={older.load} />}
    </>
  );
}

const NONE: readonly ListedRun[] = [];

const matches = ({ runId, threadId, agent, title = '' }: ListedRun, find: string): boolean =>
  [runId, threadId, agent, title].some((it) => it.toLowerCase().includes(find));

/** Puts the focus on the next run of the list, or the one before. */
function step(table: HTMLTableElement | null, by: 1 | -1): void {
  const links = [...(table?.querySelectorAll<HTMLElement>('.runs-link') ?? [])];
  const at = links.indexOf(document.activeElement as HTMLElement);
  links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
}

/** Rows that are not here yet, in their places. */
function Skeleton({ isWaiting }: { isWaiting: boolean }): ReactElement {
  return (
    <div className="runs-skeleton" aria-busy={!isWaiting}>
      {isWaiting && (
        <p>
          The server does not answer. If you stopped it, start it again with <code>npm start</code>: this page comes
          back by itself.
        </p>
      )}
      {Array.from({ length: 8 }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same.
        <div key={i} />
      ))}
    </div>
  );
}
