import type { Report } from '../report.ts';
import type { SpecialistName } from '../specialists.ts';
import type { Listing } from '../tools/list.ts';
import type { Inquiry } from '../triage.ts';
import { compose, nothingToRead } from './answer.ts';
import { choose, countKinds } from './choice.ts';
import type { Conversation, Seen } from './conversation.ts';
import type { Reply } from './model.ts';
import { counted } from './move.ts';
import { understand } from './question.ts';

/** Triage's next reply: look around, ask specialists, answer. */
export function triage({ asked, seen }: Conversation): Reply {
  const { question: text, places } = asked as Inquiry;
  const question = understand(text);
  const looks = seen.filter((it) => it.tool === 'list');
  const answers = seen.filter((it) => it.tool.startsWith('ask'));
  const listing = looks.map((it) => it.result as Listing | undefined).find((it) => it && it.files > 0);
  const refusals = looks.filter((it) => !listing || it.result !== listing).map(refusal);
  if (!listing) {
    const next = places[looks.length];
    if (next === undefined) return { text: nothingToRead(refusals) };
    const last = refusals.at(-1);
    return {
      ...(last !== undefined && { note: `I cannot look there: ${last}` }),
      calls: [{ tool: 'list', args: { folder: next } }],
    };
  }
  const { folder } = listing;
  if (answers.length > 0) return { text: [...compose(question, folder, answers.map(contribution), refusals)] };
  const specialists = choose(question, listing);
  return {
    note: `${whatIsThere(listing)} The question is after ${[...question.intents].join(', ') || 'no set subject'}; I ask ${specialists.join(' and ')}.`,
    calls: specialists.map((it) => ({ tool: `ask${it}`, args: { question: text, folder } })),
  };
}

const refusal = ({ error, args }: Seen): string =>
  error ?? `There are no files in ${(args as { folder: string }).folder}.`;

function whatIsThere(listing: Listing): string {
  const { document, code, table } = countKinds(listing);
  const files = `${counted(listing.files, 'file')}${listing.truncated ? ' and more' : ''} in ${listing.folder}`;
  const kinds = `${counted(document, 'document')}, ${counted(code, 'source file')}, ${counted(table, 'table')}`;
  return `${files}: ${kinds} among the first ${listing.entries.length}.`;
}

function contribution({ tool, result, error }: Seen): { name: SpecialistName; report: Report } {
  const name = tool.slice('ask'.length) as SpecialistName;
  return { name, report: (result as Report | undefined) ?? { notes: [`No report: ${error}`], findings: [] } };
}
