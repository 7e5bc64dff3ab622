import { useMemo } from 'react';
import type { RunSnapshot } from '../protocol/index.ts';
import { type AgentEntry, agentCounts } from './agent-counts.ts';
import { useRunStore } from './run-source.ts';
import { type RunHookOptions, type RunResult, useRunView } from './use-run.ts';
import type { Selecting, ViewOptions } from './use-view.ts';

/** One per store, for all components that show something of it. */
const known = new WeakMap<object, (run: RunResult) => readonly AgentEntry[]>();

/**
 * The agents of a run, each followed by those that it invoked: what each did, itself and together with all below it.
 *
 * @example
 * const agents = useAgents(runId);
 * return agents.map(({ agent, depth, own, total }) => <Agent key={agent.id} name={agent.name} … />);
 */
export function useAgents(runId: string | undefined, options?: RunHookOptions): readonly AgentEntry[];
export function useAgents<Slice>(
  runId: string | undefined,
  options: RunHookOptions & Selecting<readonly AgentEntry[], Slice>,
): Slice;
export function useAgents<Slice>(
  runId: string | undefined,
  options: RunHookOptions & ViewOptions<readonly AgentEntry[], Slice> = {},
): Slice {
  const opened = useRunStore(runId, options);
  const derive = useMemo(() => {
    const { store } = opened;
    let agentsOf = known.get(store);
    if (!agentsOf) {
      const counted = agentCounts();
      let of: RunSnapshot | undefined;
      let last = counted(of);
      agentsOf = ({ data }) => {
        if (data !== of) last = counted(data);
        of = data;
        return last;
      };
      known.set(store, agentsOf);
    }
    return agentsOf;
  }, [opened]);
  return useRunView(opened, derive, options);
}
