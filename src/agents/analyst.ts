import { type RunWriter, TelltaleError } from '../protocol/index.ts';
import type { Mind } from './mind.ts';
import { leadsOut, understand } from './rules/question.ts';
import { triage } from './triage.ts';
import { isIgnored, Workspace } from './workspace.ts';

/** What it is asked: a question, or a question about one folder or file of the workspace. */
export type AnalystInput = string | { readonly question: string; readonly folder?: string };

/**
 * Answers a question about the files of a workspace, citing file and line. Triage looks around and decides whom to ask;
 * specialists work at the same time; one answer puts together what they found. Resolves with that answer.
 *
 * @throws {TelltaleError} `invalid_request` for an input that is no question; `not_found` without a workspace;
 * `agent_failed` where the model does not answer.
 */
export async function analyse(run: RunWriter, input: unknown, folder: string, mind: Mind): Promise<string> {
  const { question, folder: asked } = parse(input);
  const workspace = await Workspace.open(folder);
  const places = asked === undefined ? [...(await mentioned(workspace, question)), '.'] : [asked];
  return triage(run, { question, places }, { mind, workspace });
}

/** The paths of the question that exist, and those that lead out: these are tried, and refused for everyone to see. */
async function mentioned(workspace: Workspace, question: string): Promise<string[]> {
  const places: string[] = [];
  for (const path of understand(question).paths) {
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
