import { type RunWriter, TelltaleError } from '../protocol/index.ts';
import { type Contribution, compose } from './answer.ts';
import { counted } from './rules/move.ts';
import { leadsOut, type Question, understand } from './rules/question.ts';
import { choose, countKinds } from './rules/triage.ts';
import { consult, MODEL } from './specialist.ts';
import type { Listing } from './tools/list.ts';
import { call } from './tools/toolbox.ts';
import { isIgnored, Workspace } from './workspace.ts';

/** What it is asked: a question, or a question about one folder or file of the workspace. */
export type AnalystInput = string | { readonly question: string; readonly folder?: string };

/**
 * Answers a question about the files of a workspace, citing file and line. Triage looks around and decides whom to ask;
 * specialists work at the same time; one answer puts together what they found. Resolves with that answer.
 *
 * @throws {TelltaleError} `invalid_request` for an input that is no question; `not_found` without a workspace.
 */
export async function analyse(run: RunWriter, input: unknown, folder: string): Promise<string> {
  const { question, folder: asked } = parse(input);
  const workspace = await Workspace.open(folder);
  return run.agent('Triage', (agent) => triage(agent, workspace, understand(question), asked), { input, model: MODEL });
}

async function triage(
  run: RunWriter,
  workspace: Workspace,
  question: Question,
  asked: string | undefined,
): Promise<string> {
  const [look, ask, answer] = await run.plan(question.text, ['Look around', 'Ask specialists', 'Answer']);
  const listing = await run.step(look!, () => lookAround(run, workspace, question, asked));
  await run.checkpoint();
  if (typeof listing === 'string') {
    return run.step(answer!, () => run.say(`${listing}\n\nAnswered by ${MODEL}.`));
  }
  const contributions = await run.step(ask!, async () => {
    const specialists = choose(question, listing);
    const names = specialists.map((it) => it.name);
    await run.think(
      `The question is after ${[...question.intents].join(', ') || 'no set subject'}; I ask ${names.join(' and ')}.`,
    );
    return Promise.all(
      specialists.map(async (it): Promise<Contribution> => {
        const report = await consult(run, workspace, it, { question, listing });
        return { name: it.name, report };
      }),
    );
  });
  await run.checkpoint();
  return run.step(answer!, () => run.say(compose(run, workspace, question, listing.folder, contributions)));
}

/** What is there to read; a sentence where there is nothing. A folder that the question names narrows it. */
async function lookAround(
  run: RunWriter,
  workspace: Workspace,
  question: Question,
  asked: string | undefined,
): Promise<Listing | string> {
  const places = asked === undefined ? await mentioned(workspace, question.paths) : [asked];
  const refusals: string[] = [];
  for (const folder of [...places, ...(asked === undefined ? ['.'] : [])]) {
    const { tool, result, error } = await call(run, workspace, { tool: 'list', args: { folder } });
    if (error !== undefined) {
      refusals.push(error);
      await run.think(`I cannot look there: ${error}`);
    } else if (tool === 'list' && result.files > 0) {
      const { document, code, table } = countKinds(result);
      await run.think(
        `${counted(result.files, 'file')}${result.truncated ? ' and more' : ''} in ${folder}: ${counted(document, 'document')}, ${counted(code, 'source file')}, ${counted(table, 'table')} among the first ${result.entries.length}.`,
      );
      return result;
    } else refusals.push(`There are no files in ${folder}.`);
  }
  return `There is nothing to read. ${refusals.join(' ')}`;
}

/** The paths of the question that exist, and those that lead out: these are tried, and refused for everyone to see. */
async function mentioned(workspace: Workspace, paths: readonly string[]): Promise<string[]> {
  const places: string[] = [];
  for (const path of paths) {
    const exists = !isIgnored(path) && (await workspace.resolve(path).then(Boolean, isRefusal));
    if (exists || leadsOut(path)) places.push(path);
  }
  return places;
}

const isRefusal = (error: unknown): boolean => error instanceof TelltaleError && error.code === 'path_refused';

function parse(input: unknown): { question: string; folder?: string } {
  const { question, folder } =
    typeof input === 'string' ? { question: input } : ((input ?? {}) as Record<string, unknown>);
  const isFolder = folder === undefined || typeof folder === 'string';
  if (typeof question === 'string' && question.trim() !== '' && isFolder) {
    return { question, ...(folder !== undefined && { folder }) };
  }
  throw new TelltaleError(
    'invalid_request',
    'The analyst takes a question: a string, or {"question": "…", "folder": "docs"} with a folder of the workspace.',
  );
}
