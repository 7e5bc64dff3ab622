import type { RunWriter } from '../protocol/index.ts';
import { counted, type Finding, named, type Report } from './rules/move.ts';
import type { Question } from './rules/question.ts';
import { MODEL } from './specialist.ts';
import type { Workspace } from './workspace.ts';

export interface Contribution {
  readonly name: string;
  readonly report: Report;
}

/**
 * The answer, in the pieces in which it comes about: each quote is looked up once more just before it is said, and left
 * out when the file no longer says so. Every one that stands is reported as `source.added` too.
 */
export async function* compose(
  run: RunWriter,
  workspace: Workspace,
  question: Question,
  folder: string,
  contributions: readonly Contribution[],
): AsyncGenerator<string, void, void> {
  const all = contributions.flatMap((it) => it.report.findings);
  const places = new Set(all.map(placeOf)).size;
  const files = new Set(all.map((it) => it.path)).size;
  const where = folder === '.' ? 'this folder' : folder;
  const subject = question.terms.length > 0 ? ` on ${named(question.terms)}` : '';
  yield places > 0
    ? `I found ${counted(places, 'place')}${subject} in ${counted(files, 'file')} of ${where}.\n`
    : `I found no place${subject} to quote in ${where}.\n`;
  const said = new Set<string>();
  let gone = 0;
  for (const { name, report } of contributions) {
    yield `\n${name}\n`;
    for (const note of report.notes) yield `  ${note}\n`;
    for (const finding of report.findings) {
      const place = placeOf(finding);
      if (said.has(place)) continue;
      await run.checkpoint();
      if (!(await stands(finding, workspace, run.signal))) {
        gone++;
        continue;
      }
      said.add(place);
      const { path, line, quote } = finding;
      run.emit('source.added', { sourceId: place, path, line, quote });
      yield `  ${place} “${quote}”${finding.why === undefined ? '' : ` (${finding.why})`}\n`;
    }
  }
  if (gone > 0)
    yield `\n${counted(gone, 'place')} changed while I was reading and ${gone === 1 ? 'is' : 'are'} left out.\n`;
  yield `\nAnswered by ${MODEL}: words were searched and counted, nothing was understood.`;
}

const placeOf = ({ path, line }: Finding): string => `${path}:${line}`;

async function stands({ path, line, quote }: Finding, workspace: Workspace, signal: AbortSignal): Promise<boolean> {
  const file = await workspace.read(path, signal).catch(() => undefined);
  return file?.lines[line - 1]?.includes(quote) ?? false;
}
