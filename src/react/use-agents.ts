import { useMemo } from 'react';
import type { AgentEntry } from './agent-counts.ts';
import { useRunStore } from './run-source.ts';
import { type RunHookOptions, useRunView } from './use-run.ts';
import { useStory } from './use-story.ts';
import type { Selecting, ViewOptions } from './use-view.ts';

const NONE: readonly AgentEntry[] = [];
const none = (): readonly AgentEntry[] => NONE;

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
  const story = useStory(opened.store);
  const derive = useMemo(() => story?.agentsOf(opened.store) ?? none, [opened, story]);
  return useRunView(opened, derive, options);
}
