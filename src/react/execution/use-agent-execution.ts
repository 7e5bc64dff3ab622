import { useMemo } from 'react';
import { newRunId, TelltaleError } from '../../protocol/index.ts';
import { type AgentServer, at, post } from './agent-server.ts';
import { INITIAL, watching } from './agent-state.ts';
import { update, useAgentStore } from './agent-store.ts';

export interface AgentExecutionControls {
  /**
   * Has the agent do a task, and resolves with the id of the execution, which is `currentExecution` then. A second click
   * while it starts, and another try after an error, is the same start.
   *
   * @throws {TelltaleError} what the server says; `error` of `useAgentStore` says it, too.
   */
  readonly startExecution: (task: string, parameters?: Readonly<Record<string, unknown>>) => Promise<string>;
  /** Asks the current execution to end. Where that cannot be asked, `error` of `useAgentStore` says why. */
  readonly cancelExecution: () => Promise<void>;
  readonly isExecuting: boolean;
}

/** The last start: one wish of a person, however often it is said, has one Idempotency-Key. */
interface Start {
  readonly url: URL;
  readonly said: string;
  readonly key: string;
  id: Promise<string> | undefined;
}

let last: Start | undefined;

/**
 * Starts executions, and cancels the current one.
 *
 * @example
 * const { startExecution, cancelExecution, isExecuting } = useAgentExecution();
 * <button onClick={() => startExecution('Create a landing page')} disabled={isExecuting}>Start</button>
 */
export function useAgentExecution({ url }: AgentServer = {}): AgentExecutionControls {
  const isExecuting = useAgentStore((state) => state.isExecuting);
  const controls = useMemo(() => {
    const server = url === undefined ? {} : { url };
    return {
      startExecution: (task: string, parameters?: Readonly<Record<string, unknown>>) =>
        start(server, { task, ...(parameters && { parameters }) }),
      cancelExecution: () => cancel(server),
    };
  }, [url]);
  return { ...controls, isExecuting };
}

function start(server: AgentServer, wish: { readonly task: string }): Promise<string> {
  const url = at(server, 'execute');
  const said = JSON.stringify(wish);
  const same = last?.said === said && last.url.href === url.href ? last : undefined;
  if (same?.id) return same.id;
  const it: Start = { url, said, key: same?.key ?? newRunId(), id: undefined };
  last = it;
  update(() => ({ ...INITIAL, isExecuting: true }));
  it.id = post<{ executionId: string }>(url, wish, it.key).then(
    ({ executionId }) => {
      if (last === it) last = undefined;
      update((state) => watching(state, executionId, wish.task));
      return executionId;
    },
    (error: unknown) => {
      it.id = undefined;
      update((state) => ({ ...state, isExecuting: false, error: TelltaleError.from(error).message }));
      throw error;
    },
  );
  return it.id;
}

async function cancel(server: AgentServer): Promise<void> {
  const { currentExecution } = useAgentStore.getState();
  if (!currentExecution) return;
  try {
    await post(at(server, 'executions', currentExecution.id, 'cancel'), {}, newRunId());
  } catch (error) {
    update((state) => ({ ...state, error: TelltaleError.from(error).message }));
  }
}
