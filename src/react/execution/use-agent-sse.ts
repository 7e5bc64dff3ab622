import { useEffect } from 'react';
import type { AgentServer } from './agent-server.ts';
import { watch } from './watch.ts';

/**
 * Watches an execution for as long as the component is there: what happened, then what happens, into `useAgentStore`. It
 * comes back by itself over cuts, and closes when the execution has ended. Without an id it waits for one.
 *
 * @example
 * useAgentSSE(currentExecution?.id);
 */
export function useAgentSSE(executionId: string | null | undefined, { url }: AgentServer = {}): void {
  useEffect(() => {
    if (!executionId) return undefined;
    return watch(url === undefined ? {} : { url }, executionId);
  }, [executionId, url]);
}
