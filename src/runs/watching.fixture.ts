import type { Log } from '../log/index.ts';
import { emptySnapshot, isTerminal, type RunSnapshot, reduce, type TelltaleEvent } from '../protocol/index.ts';
import { type AgentFunction, Runs, type RunsOptions } from './index.ts';

/** Every event of a thread, as the log has it now. */
export async function eventsOf(log: Log, threadId: string): Promise<TelltaleEvent[]> {
  const events: TelltaleEvent[] = [];
  for (;;) {
    const { blocks } = await log.read(threadId, events.length);
    if (blocks.length === 0) return events;
    for (const block of blocks) events.push(...block.events(events.length));
  }
}

/** Resolves with all events of a thread when `isThere` finds among them what it waits for. */
export async function eventsWhen(
  log: Log,
  threadId: string,
  isThere: (events: readonly TelltaleEvent[]) => boolean,
): Promise<TelltaleEvent[]> {
  let wake = () => {};
  const unfollow = await log.follow(threadId, () => wake());
  try {
    for (;;) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const events = await eventsOf(log, threadId);
      if (isThere(events)) return events;
      await woken;
    }
  } finally {
    unfollow();
  }
}

/** All events of a run's own thread, once the run has ended. */
export const eventsAtEnd = (log: Log, runId: string): Promise<TelltaleEvent[]> =>
  eventsWhen(log, runId, (events) => events.some((it) => it.runId === runId && isTerminal(it.type)));

export const fold = (events: readonly TelltaleEvent[], runId = events[0]!.runId): RunSnapshot =>
  events.reduce(reduce, emptySnapshot(runId));

/** Runs one agent from its start to its end. */
export async function runOnce(
  log: Log,
  fn: AgentFunction,
  { input, ...options }: RunsOptions & { input?: unknown } = {},
): Promise<{ events: TelltaleEvent[]; run: RunSnapshot; runs: Runs }> {
  const runs = new Runs(log, options);
  runs.register('it', fn);
  const { runId } = await runs.start({ agent: 'it', input });
  const events = await eventsAtEnd(log, runId);
  return { events, run: fold(events), runs };
}

/** Types and data, without what differs from run to run. */
export function told(events: readonly TelltaleEvent[]): unknown[] {
  return events.map(({ type, data, agent }) => {
    const { durationMs: _, ...rest } = data as Record<string, unknown>;
    return agent ? [type, agent.id, rest] : [type, rest];
  });
}
