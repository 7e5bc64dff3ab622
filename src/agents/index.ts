import type { RunWriter } from '../protocol/index.ts';
import { analyse } from './analyst.ts';
import { MODEL } from './specialist.ts';

export type { AnalystInput } from './analyst.ts';

/** An agent that is ready to be registered. */
export interface ReferenceAgent {
  readonly name: string;
  readonly fn: (run: RunWriter, input: unknown) => Promise<unknown>;
  readonly about: { readonly description: string; readonly model: string };
}

/**
 * The agents that come with Telltale: real work on real files, so that there is something true to watch.
 * They read inside `workspace` (a folder) and nowhere else.
 *
 * @example
 * for (const { name, fn, about } of referenceAgents({ workspace: process.cwd() })) app.agent(name, fn, about);
 */
export function referenceAgents({ workspace }: { workspace: string }): ReferenceAgent[] {
  return [
    {
      name: 'analyst',
      fn: (run, input) => analyse(run, input, workspace),
      about: { description: 'Answers a question about the files of a folder, citing file and line.', model: MODEL },
    },
  ];
}
