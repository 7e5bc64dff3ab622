import { z } from 'zod';
import { counted } from './rules/move.ts';
import { place } from './tools/list.ts';
import type { Workspace } from './workspace.ts';

/** A place in a file that bears on the question. */
const finding = z.object({
  path: place,
  line: z.int().min(1).describe('Counted from 1.'),
  quote: z.string().min(1).describe('What stands on that line, or a part of it, letter by letter.'),
  why: z.string().exactOptional().describe('Why it is worth showing, in a few words.'),
});
export type Finding = z.infer<typeof finding>;

/** What a specialist comes back with. */
export const reportArgs = z.object({
  notes: z.array(z.string()).max(40).readonly().describe('Sentences, each true of what was looked at.'),
  findings: z.array(finding).max(40).readonly(),
});
export type Report = z.infer<typeof reportArgs>;

/**
 * The report without what does not stand in the files: each quote is looked up once more, since a model can be wrong and
 * files can change. What is left out is counted in a note.
 */
export async function checked(report: Report, workspace: Workspace, signal: AbortSignal): Promise<Report> {
  const standing: Finding[] = [];
  for (const finding of report.findings) {
    signal.throwIfAborted();
    const { path, line, quote } = finding;
    const file = await workspace.read(path, signal).catch(() => undefined);
    // Under the name that the workspace gives the file, however the path was written.
    if (file?.lines[line - 1]?.includes(quote)) standing.push({ ...finding, path: file.path });
  }
  const gone = report.findings.length - standing.length;
  if (gone === 0) return { ...report, findings: standing };
  const note = `${counted(gone, 'quote')} ${gone === 1 ? 'does' : 'do'} not stand in the files and ${gone === 1 ? 'is' : 'are'} left out.`;
  return { notes: [...report.notes, note], findings: standing };
}

/** Where a finding is, for people and as the id of its source. */
export const placeOf = ({ path, line }: Finding): string => `${path}:${line}`;
