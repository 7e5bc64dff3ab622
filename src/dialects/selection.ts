import { type AgentRef, type Entry, isTerminal, isVoid } from '../protocol/index.ts';
import type { Selection } from './dialect.ts';

type Test = (event: Entry) => boolean;

/** Whether a selection lets an event pass, an erased one never; `undefined` for one that has every event of the thread. */
export function selects({ runId, types, agents, depth }: Selection): Test | undefined {
  const filters: Test[] = [];
  if (types) filters.push(ofTypes(types));
  if (agents) filters.push(ofAgents(new Set(agents)));
  if (depth !== undefined) filters.push(({ agent }) => depthOf(agent) <= depth);
  if (runId === undefined && filters.length === 0) return undefined;
  return (event) =>
    !isVoid(event) &&
    (runId === undefined || event.runId === runId) &&
    (isTerminal(event.type) || filters.every((filter) => filter(event)));
}

function ofTypes(types: readonly string[]): Test {
  const exact = new Set(types.filter((type) => !type.endsWith('.*')));
  const groups = types.filter((type) => type.endsWith('.*')).map((type) => type.slice(0, -1));
  return ({ type }) => exact.has(type) || groups.some((group) => type.startsWith(group));
}

const ofAgents =
  (agents: ReadonlySet<string>): Test =>
  ({ agent }) =>
    agent !== undefined && (agents.has(agent.id) || agents.has(agent.name));

const depthOf = (agent: AgentRef | undefined): number => (agent ? agent.path.split('/').length - 1 : 0);
