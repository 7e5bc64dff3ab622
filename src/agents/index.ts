import type { RunWriter } from '../protocol/index.ts';
import { analyse } from './analyst.ts';
import { type ModelChoice, openMind } from './mind.ts';
import { rehearse } from './rehearsal/rehearsal.ts';

export type { AnalystInput } from './analyst.ts';
export type { ModelChoice } from './mind.ts';

/** An agent that is ready to be registered. */
export interface ReferenceAgent {
  readonly name: string;
  readonly fn: (run: RunWriter, input: unknown) => Promise<unknown>;
  readonly about: { readonly description: string; readonly model: string };
}

/**
 * The agents that come with Telltale: real work on real files, so that there is something true to watch.
 * They read inside `workspace` (a folder) and nowhere else; what they read is sent to `model`, which is none by default.
 *
 * @example
 * const agents = await referenceAgents({ workspace: process.cwd() });
 * for (const { name, fn, about } of agents) app.agent(name, fn, about);
 *
 * @throws {TelltaleError} `invalid_option` for a model whose package is not installed.
 */
export async function referenceAgents({
  workspace,
  model = { provider: 'rules' },
}: {
  workspace: string;
  model?: ModelChoice;
}): Promise<ReferenceAgent[]> {
  const mind = await openMind(model);
  return [
    {
      name: 'analyst',
      fn: (run, input) => analyse(run, input, workspace, mind),
      about: {
        description: 'Answers a question about the files of a folder, citing file and line.',
        model: mind.label,
      },
    },
    {
      name: 'rehearsal',
      fn: (run, input) => rehearse(run, input, { workspace }),
      about: {
        description: 'Counts the files of a folder, slowly, and takes faults: to see how a page shows them.',
        model: 'rules, no LLM',
      },
    },
  ];
}
