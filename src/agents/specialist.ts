import type { Tool } from 'ai';
import type { RunWriter } from '../protocol/index.ts';
import { runLoop } from './loop.ts';
import type { Mind } from './mind.ts';
import { checked, type Report, reportArgs } from './report.ts';
import { MATERIAL, SPECIALISTS, type SpecialistName } from './specialists.ts';
import { toolbox } from './tools/toolbox.ts';
import type { Workspace } from './workspace.ts';

/** What a specialist is asked, as its prompt says it in JSON. */
export interface Consultation {
  readonly question: string;
  readonly folder: string;
  /** The first files of the folder. */
  readonly files: readonly string[];
}

/**
 * One specialist at work, as an agent of its own: calls tools until it reports. What it quotes has been looked up.
 *
 * @throws {TelltaleError} what `runLoop` says.
 */
export async function consult(
  name: SpecialistName,
  consultation: Consultation,
  { run, signal, mind, workspace }: { run: RunWriter; signal: AbortSignal; mind: Mind; workspace: Workspace },
): Promise<Report> {
  let reported: Report | undefined;
  const report: Tool<Report, { places: number; leftOut: number }> = {
    description: 'Ends your work with what you found out. Quotes that do not stand in the files are left out.',
    inputSchema: reportArgs,
    execute: async (args) => {
      reported = await checked(args, workspace, signal);
      const places = reported.findings.length;
      return { places, leftOut: args.findings.length - places };
    },
  };
  const text = await runLoop(mind, {
    run,
    signal,
    name,
    instructions: `You are ${name}, one of several specialists who look into the files of one folder to answer a question.
Your part: ${SPECIALISTS[name]}
You get the question, the folder and the names of its first files as JSON. Look for yourself, with a few calls of your
tools at the same time where they do not need each other. Then call report: short sentences that are true of what you
looked at, and the places that bear on the question, each with the path and line number that a tool gave you and a quote
that stands on that line letter by letter. If you find nothing, report that. ${MATERIAL}`,
    prompt: JSON.stringify(consultation),
    tools: { ...toolbox(workspace, signal), report },
    isDone: () => reported !== undefined,
  });
  // A model that forgets to report has still said something.
  return reported ?? { notes: [text], findings: [] };
}
