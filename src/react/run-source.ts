import { useMemo } from 'react';
import { type Client, emptyView, IDLE, type Run, type RunView } from '../client/index.ts';
import { type RunSnapshot, TelltaleError } from '../protocol/index.ts';
import { useTelltale } from './provider.ts';
import { type Readable, still } from './readable.ts';

/** Which run a hook is about, and where its stream begins. */
export interface RunSource {
  readonly from?: 'start' | 'snapshot' | undefined;
  readonly initialSnapshot?: RunSnapshot | undefined;
}

/** A run's store; without `run` where there is none, or none can be. */
export interface OpenedRun {
  readonly store: Readable<RunView>;
  readonly run?: Run;
}

const NOTHING: RunView = { ...emptyView<RunSnapshot>(IDLE), status: 'pending' };
const NO_RUN: OpenedRun = { store: still(NOTHING) };

/** The store of a run, not connected. An id that is none is told as an error of the view: hooks do not throw. */
export function useRunStore(runId: string | undefined, { from = 'start', initialSnapshot }: RunSource): OpenedRun {
  const client = useTelltale();
  // Only the first render of a run needs what a server rendered: a new object with the same content opens nothing anew.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above.
  return useMemo(() => open(client, runId, from, initialSnapshot), [client, runId, from]);
}

function open(
  client: Client,
  runId: string | undefined,
  from: 'start' | 'snapshot',
  initial: RunSnapshot | undefined,
): OpenedRun {
  if (runId === undefined) return NO_RUN;
  try {
    const run = client.run(runId, { from, ...(initial && { initial }) });
    return { run, store: run };
  } catch (error) {
    return { store: still({ ...NOTHING, connection: 'closed', error: TelltaleError.from(error) }) };
  }
}
