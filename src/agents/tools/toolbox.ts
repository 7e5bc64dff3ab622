import { type RunWriter, TelltaleError } from '../../protocol/index.ts';
import type { Workspace } from '../workspace.ts';
import { type GitLogArgs, gitLog, type History } from './git-log.ts';
import { type GrepArgs, grep, type Hits } from './grep.ts';
import { type ListArgs, type Listing, list } from './list.ts';
import { type Passage, type ReadArgs, read } from './read.ts';
import { type Statistics, type StatisticsArgs, statistics } from './statistics.ts';

/** What an agent can do, by name. */
interface Tools {
  list: { args: ListArgs; result: Listing };
  read: { args: ReadArgs; result: Passage };
  grep: { args: GrepArgs; result: Hits };
  statistics: { args: StatisticsArgs; result: Statistics };
  gitLog: { args: GitLogArgs; result: History };
}
type ToolName = keyof Tools;

/** A call that was decided on. */
export type ToolCall = { [N in ToolName]: { readonly tool: N; readonly args: Tools[N]['args'] } }[ToolName];
/** What came of it: a failure is a fact like any other, and the run goes on with it. */
export type Outcome = {
  [N in ToolName]: { readonly tool: N; readonly args: Tools[N]['args'] } & (
    | { readonly result: Tools[N]['result']; readonly error?: never }
    | { readonly error: string; readonly result?: never }
  );
}[ToolName];

const TOOLS: {
  readonly [N in ToolName]: (workspace: Workspace, args: Tools[N]['args'], signal: AbortSignal) => Promise<unknown>;
} = { list, read, grep, statistics, gitLog };

/** Calls a tool and reports it. Rejects only when the run was stopped. */
export async function call(run: RunWriter, workspace: Workspace, { tool, args }: ToolCall): Promise<Outcome> {
  const body = TOOLS[tool] as (workspace: Workspace, args: unknown, signal: AbortSignal) => Promise<unknown>;
  try {
    const result = await run.tool(tool, args, () => body(workspace, args, run.signal));
    return { tool, args, result } as Outcome;
  } catch (error) {
    if (run.signal.aborted) throw error;
    return { tool, args, error: TelltaleError.from(error, 'tool_failed').message } as Outcome;
  }
}
