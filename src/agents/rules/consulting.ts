import type { Consultation } from '../specialist.ts';
import type { SpecialistName } from '../specialists.ts';
import type { Outcome } from '../tools/toolbox.ts';
import { code } from './code.ts';
import type { Conversation } from './conversation.ts';
import { documents } from './documents.ts';
import { history } from './history.ts';
import type { Reply } from './model.ts';
import type { Decide } from './move.ts';
import { numbers } from './numbers.ts';
import { understand } from './question.ts';
import { risks } from './risks.ts';

/** How each specialist decides. */
export const DECIDE: Readonly<Record<SpecialistName, Decide>> = {
  Documents: documents,
  Code: code,
  Risks: risks,
  History: history,
  Numbers: numbers,
};

/** A specialist's next reply. */
export function consulting(name: SpecialistName, { asked, seen }: Conversation): Reply {
  const { question, folder, files } = asked as Consultation;
  const listing = { folder, entries: files.map((path) => ({ path })) };
  const move = DECIDE[name]({ question: understand(question), listing }, seen as readonly Outcome[]);
  const { note } = move;
  return 'calls' in move ? { note, calls: move.calls } : { note, calls: [{ tool: 'report', args: move.report }] };
}
