import { createContext, useContext, useMemo } from 'react';
import { type Client, emptyView, IDLE, type Run, type RunView } from '../client/index.ts';
import { type RunSnapshot, TelltaleError } from '../protocol/index.ts';
import { useTelltale } from './provider.ts';
import { type Readable, still } from './readable.ts';

/** Which run a hook is about, and where its stream begins. */
export interface RunSource {
  readonly from?: 'start' | 'snapshot' | undefined;
  readonly initialSnapshot?: RunSnapshot | undefined;
}

/**
 * A run's store; without `run` where there is none, or none can be, and where it is a moment of the past: nothing can be
 * asked of it then. `page` reads what the store does not have; `moment` is when that was, in milliseconds since 1970.
 */
export interface OpenedRun {
  readonly store: Readable<RunView> & Partial<Pick<Run, 'page'> & { moment(): number }>;
  readonly run?: Run;
}

/** What is shown of a run in place of what it is now. */
export const Shown = createContext<{ readonly runId?: string; readonly opened?: OpenedRun }>({});

const NOTHING: RunView = { ...emptyView<RunSnapshot>(IDLE), status: 'pending' };
const NO_RUN: OpenedRun = { store: still(NOTHING) };

/** The store of a run, not connected. An id that is none is told as an error of the view: hooks do not throw. */
export function useRunStore(runId: string | undefined, { from = 'start', initialSnapshot }: RunSource): OpenedRun {
  const client = useTelltale();
  const shown = useContext(Shown);
  // Only the first render of a run needs what a server rendered: a new object with the same content opens nothing anew.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above.
  const opened = useMemo(() => open(client, runId, from, initialSnapshot), [client, runId, from]);
  return (shown.runId === runId && shown.opened) || opened;
}

export function open(
  client: Client,
  runId: string | undefined,
  from: 'start' | 'snapshot',
  initial?: RunSnapshot,
): OpenedRun {
  if (runId === undefined) return NO_RUN;
  try {
    const run = client.run(runId, { from, ...(initial && { initial }) });
    return { run, store: run };
  } catch (error) {
    return { store: still({ ...NOTHING, connection: 'closed', error: TelltaleError.from(error) }) };
  }
}
