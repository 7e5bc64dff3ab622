import { createContext, useContext, useMemo } from 'react';
import type { AgentSpan } from 'telltale/protocol';
import { type RunResult, useRun } from 'telltale/react';
import { perList } from '../ui/per-list.ts';

/** What every row of a run's timeline has to know of the run. */
export interface Scene {
  /** When the run began, in milliseconds since 1970. */
  readonly startedAt: number | undefined;
  readonly agents: ReadonlyMap<string, AgentSpan>;
  /** The number of the event that is looked at. */
  readonly event: number | undefined;
  /** Shows the details of an event. */
  readonly open: (seq: number) => void;
}

const NOBODY: readonly AgentSpan[] = [];
const byId = perList(
  (agents: readonly AgentSpan[]): ReadonlyMap<string, AgentSpan> => new Map(agents.map((it) => [it.id, it])),
);

export const SceneContext = createContext<Scene>({
  startedAt: undefined,
  agents: byId(NOBODY),
  event: undefined,
  open: () => {},
});
export const useScene = (): Scene => useContext(SceneContext);

export function useSceneOf(runId: string, event: number | undefined, open: (seq: number) => void): Scene {
  const { startedAt, agents } = useRun(runId, { select: setting });
  return useMemo(() => ({ startedAt, agents: byId(agents), event, open }), [startedAt, agents, event, open]);
}

function setting({ data }: RunResult) {
  const startedAt = data?.startedAt ?? data?.queuedAt;
  return { startedAt: startedAt === undefined ? undefined : Date.parse(startedAt), agents: data?.agents ?? NOBODY };
}
