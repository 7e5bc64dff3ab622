import { placeOf, type Report } from '../report.ts';
import type { SpecialistName } from '../specialists.ts';
import { counted, named } from './move.ts';
import type { Question } from './question.ts';

export interface Contribution {
  readonly name: SpecialistName;
  readonly report: Report;
}

const SIGNATURE = 'Answered by rules, no LLM';

/**
 * The answer, line by line: where nothing could be read, what each specialist reported, each place said once. As text it
 * reads as it is, and as Markdown its places are a list.
 */
export function* compose(
  question: Question,
  folder: string,
  contributions: readonly Contribution[],
  refusals: readonly string[],
): Generator<string, void, void> {
  const all = contributions.flatMap((it) => it.report.findings);
  const places = new Set(all.map(placeOf)).size;
  const files = new Set(all.map((it) => it.path)).size;
  const where = folder === '.' ? 'this folder' : folder;
  const looked = question.terms.length > 0 ? `I looked for ${named(question.terms)} and found` : 'I found';
  yield places > 0
    ? `${looked} ${counted(places, 'place')} in ${counted(files, 'file')} of ${where}.\n`
    : `${looked} no place to quote in ${where}.\n`;
  for (const refusal of refusals) yield `${refusal}\n`;
  const said = new Set<string>();
  for (const { name, report } of contributions) {
    yield `\n${name}\n`;
    for (const note of report.notes) yield `${note}\n`;
    for (const finding of report.findings) {
      const place = placeOf(finding);
      if (said.has(place)) continue;
      said.add(place);
      yield `- ${place} “${finding.quote}”${finding.why === undefined ? '' : ` (${finding.why})`}\n`;
    }
  }
  yield `\n${SIGNATURE}: words were searched and counted, nothing was understood.`;
}

export function nothingToRead(refusals: readonly string[]): string[] {
  return ['There is nothing to read. ', `${refusals.join(' ')}\n`, `\n${SIGNATURE}.`];
}
