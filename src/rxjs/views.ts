import type { Observable } from 'rxjs';
import type { Client, ConnectionView, ListedRun, RunFilter, RunOptions } from '../client/index.ts';
import type { RunSnapshot } from '../protocol/index.ts';
import { fromStore } from './from-store.ts';
import type { Schedule } from './schedule.ts';

/**
 * A run, folded: the last fold at once, then a new one whenever something came, at most once a frame. Cold; all
 * subscribers share one connection, which is closed a second after the last has left. Completes with the run.
 *
 * Errors with a TelltaleError where the connection gives up: `run_not_found`, `forbidden` and whatever else does not pass,
 * or after the client's `maxAttempts`. A cut that passes is no error: see `connection$`.
 *
 * @example
 * run$(client, 'r1').subscribe(({ status, messages }) => render(status, messages));
 */
export function run$(
  client: Client,
  runId: string,
  { schedule, ...options }: RunOptions & { readonly schedule?: Schedule } = {},
): Observable<RunSnapshot> {
  return fromStore({
    store: () => client.run(runId, options),
    select: ({ data }) => data,
    schedule,
    fails: true,
  });
}

/**
 * How the connection of a run is, never how the run is. Shares that of `run$`. Completes with the run, and never errors:
 * a connection that gave up is `closed` with an `error`, until somebody has it come back.
 *
 * @example
 * connection$(client, 'r1').subscribe(({ connection }) => badge.textContent = connection);
 */
export function connection$(
  client: Client,
  runId: string,
  { schedule, ...options }: RunOptions & { readonly schedule?: Schedule } = {},
): Observable<ConnectionView> {
  let last: ConnectionView | undefined;
  const select = ({ connection, error, attempt, retryAt }: ConnectionView): ConnectionView => {
    const next = { connection, error, attempt, retryAt };
    if (!last || !isSame(last, next)) last = next;
    return last;
  };
  return fromStore({ store: () => client.run(runId, options), select, schedule, fails: false });
}

/**
 * The runs that match, newest first, live. A run that did not change stays the same object. It ends with its client alone;
 * errors as `run$` does.
 *
 * @example
 * runs$(client, { status: 'running' }).subscribe((runs) => render(runs));
 */
export function runs$(
  client: Client,
  { schedule, ...filter }: RunFilter & { readonly limit?: number; readonly schedule?: Schedule } = {},
): Observable<readonly ListedRun[]> {
  return fromStore({ store: () => client.runs(filter), select: ({ data }) => data, schedule, fails: true });
}

const isSame = (a: ConnectionView, b: ConnectionView): boolean =>
  a.connection === b.connection && a.error === b.error && a.attempt === b.attempt && a.retryAt === b.retryAt;
