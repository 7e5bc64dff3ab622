import type { Tool } from 'ai';
import { z } from 'zod';
import type { RunWriter } from '../protocol/index.ts';
import { runLoop } from './loop.ts';
import type { Mind } from './mind.ts';
import { Progress } from './progress.ts';
import type { Report } from './report.ts';
import { Reports } from './reports.ts';
import { consult } from './specialist.ts';
import { MATERIAL, SPECIALISTS, type SpecialistName } from './specialists.ts';
import { type ListArgs, type Listing, list, place } from './tools/list.ts';
import { toolbox } from './tools/toolbox.ts';
import type { Workspace } from './workspace.ts';

const INSTRUCTIONS = `You are Triage. You answer a question about the files of one folder, with the help of specialists.
You get the question as JSON, with the places to look at. First list the places, in their order, until one holds files.
Then ask the specialists who can help, all at the same time, once: two at least, four at most, each with the question as
far as it is theirs and the folder that you listed. Last, answer from their reports alone: begin with what it comes to,
then the places that show it, as path:line “quote”, exactly as they were reported. Say what is not known. If there is
nothing to read, say that and why. ${MATERIAL}`;

/** What triage is asked, as its prompt says it in JSON. */
export interface Inquiry {
  readonly question: string;
  /** Where to look: what the asker named, or what the question names; the first that holds files is taken. */
  readonly places: readonly string[];
}

const askArgs = z.object({
  question: z.string().min(1),
  folder: place,
});
type AskArgs = z.infer<typeof askArgs>;

const [LOOK, ASK, ANSWER] = [0, 1, 2];

/** Files that a specialist is told by name: they are in every prompt of it, and it can list the others. */
const NAMED = 200;

/** Looks around, asks specialists at the same time and answers. Resolves with the answer. */
export async function triage(
  run: RunWriter,
  inquiry: Inquiry,
  { mind, workspace }: { mind: Mind; workspace: Workspace },
): Promise<string> {
  const listings = new Map<string, Listing>();
  const reports = new Reports();

  const look: Tool<ListArgs, Listing> = {
    ...toolbox(workspace, run.signal).list,
    execute: async (args) => {
      const listing = await list(workspace, args, run.signal);
      listings.set(args.folder, listing);
      return listing;
    },
  };
  const ask = (name: SpecialistName): Tool<AskArgs, Report> => ({
    description: `Asks ${name}. ${SPECIALISTS[name]}`,
    inputSchema: askArgs,
    execute: ({ question, folder }, { abortSignal = run.signal }) => {
      const files = (listings.get(folder)?.entries ?? []).slice(0, NAMED).map((it) => it.path);
      return reports.expect(consult(name, { question, folder, files }, { run, signal: abortSignal, mind, workspace }));
    },
  });
  const asks = {
    askDocuments: ask('Documents'),
    askCode: ask('Code'),
    askRisks: ask('Risks'),
    askHistory: ask('History'),
    askNumbers: ask('Numbers'),
  };

  const progress = await Progress.plan(run, inquiry.question, ['Look around', 'Ask specialists', 'Answer']);
  try {
    const answer = await runLoop(mind, {
      run,
      signal: run.signal,
      name: 'Triage',
      instructions: INSTRUCTIONS,
      prompt: JSON.stringify(inquiry),
      tools: { list: look, ...asks },
      // The plan follows what the model does. Nothing is forbidden to one that asks a second time: servers differ in how
      // they take that, and the number of steps ends it.
      prepareStep: async () => {
        const hasFiles = [...listings.values()].some((it) => it.files > 0);
        await progress.enter(reports.begun ? ANSWER : hasFiles ? ASK : LOOK);
        for (const source of reports.newSources()) run.emit('source.added', source);
        return hasFiles ? {} : { activeTools: ['list'] };
      },
    });
    await progress.end();
    return answer;
  } catch (error) {
    await progress.fail(error);
    throw error;
  }
}
