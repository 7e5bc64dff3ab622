import type { RunWriter } from '../protocol/index.ts';
import type { Brief, Report } from './rules/move.ts';
import type { Specialist } from './rules/triage.ts';
import { call, type Outcome } from './tools/toolbox.ts';
import type { Workspace } from './workspace.ts';

/** Stands wherever a model's name would. */
export const MODEL = 'rules, no LLM';

/** Rules that do not come to an end would be a fault of ours; the run shall end all the same. */
const MAX_MOVES = 6;

/** One specialist at work, as an agent of its own: decides, says why, calls its tools, until it reports. */
export function consult(run: RunWriter, workspace: Workspace, specialist: Specialist, brief: Brief): Promise<Report> {
  return run.agent(
    specialist.name,
    async (agent) => {
      const seen: Outcome[] = [];
      for (let moves = 0; moves < MAX_MOVES; moves++) {
        await agent.checkpoint();
        const move = specialist.decide(brief, seen);
        await agent.think(move.note);
        if ('report' in move) return move.report;
        seen.push(...(await Promise.all(move.calls.map((it) => call(agent, workspace, it)))));
      }
      throw new Error(`${specialist.name} did not come to an end in ${MAX_MOVES} moves.`);
    },
    { input: brief.question.text, model: MODEL },
  );
}
