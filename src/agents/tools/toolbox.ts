import type { Tool } from 'ai';
import type { Workspace } from '../workspace.ts';
import { type GitLogArgs, gitLog, gitLogArgs, type History } from './git-log.ts';
import { type GrepArgs, grep, grepArgs, type Hits } from './grep.ts';
import { type ListArgs, type Listing, list, listArgs } from './list.ts';
import { type Passage, type ReadArgs, read, readArgs } from './read.ts';
import { type Statistics, type StatisticsArgs, statistics, statisticsArgs } from './statistics.ts';

/** What agents can do with files, by name: all of it reads, none of it writes. */
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

/**
 * The tools as models call them. Arguments are checked against their schemas before a tool sees them, and what a tool
 * throws goes back to the model as that call's error. Each one stops when `signal` does.
 */
export function toolbox(
  workspace: Workspace,
  signal: AbortSignal,
): { [N in ToolName]: Tool<Tools[N]['args'], Tools[N]['result']> } {
  return {
    list: {
      description: 'Lists the files of a folder, with sizes.',
      inputSchema: listArgs,
      execute: (args) => list(workspace, args, signal),
    },
    read: {
      description: 'Reads lines of a text file, with their numbers: 200 at most.',
      inputSchema: readArgs,
      execute: (args) => read(workspace, args, signal),
    },
    grep: {
      description: 'Finds the lines in which terms stand, with path and line number.',
      inputSchema: grepArgs,
      execute: (args) => grep(workspace, args, signal),
    },
    statistics: {
      description:
        'Counts files, lines, words, headings and definitions, and adds up the columns of CSV and TSV tables.',
      inputSchema: statisticsArgs,
      execute: (args) => statistics(workspace, args, signal),
    },
    gitLog: {
      description: 'The newest commits that touched a folder: who, when, what.',
      inputSchema: gitLogArgs,
      execute: (args) => gitLog(workspace, args, signal),
    },
  };
}
