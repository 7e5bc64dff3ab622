import { useSyncExternalStore } from 'react';
import { type AgentState, INITIAL } from './agent-state.ts';

/** What comes within so many milliseconds is shown together: once a frame, however much happens. */
const FRAME_MS = 16;

let state = INITIAL;
const listeners = new Set<() => void>();
let isTelling = false;

const getState = (): AgentState => state;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Changes the state at once, and tells of it with the next frame. */
export function update(change: (state: AgentState) => AgentState): void {
  const next = change(state);
  if (next === state) return;
  state = next;
  if (isTelling) return;
  isTelling = true;
  setTimeout(() => {
    isTelling = false;
    for (const listener of [...listeners]) listener();
  }, FRAME_MS);
}

function useStore(): AgentState;
function useStore<Slice>(select: (state: AgentState) => Slice): Slice;
function useStore(select: (state: AgentState) => unknown = (it) => it): unknown {
  return useSyncExternalStore(
    subscribe,
    () => select(state),
    () => select(INITIAL),
  );
}

/**
 * The execution of this page, one at a time: all of the state, or the part that `select` names, by whose identity it
 * renders. `useAgentStore.getState()` and `.subscribe()` are for code outside of components.
 *
 * @example
 * const { currentExecution, thinkingSteps } = useAgentStore();
 * const phases = useAgentStore((state) => state.currentExecution?.plan?.phases);
 */
export const useAgentStore = Object.assign(useStore, { getState, subscribe });
