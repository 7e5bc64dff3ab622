import { type FileKind, kindOf } from '../kinds.ts';
import type { Listing } from '../tools/list.ts';
import { code } from './code.ts';
import { documents } from './documents.ts';
import { history } from './history.ts';
import type { Decide } from './move.ts';
import { numbers } from './numbers.ts';
import type { Question } from './question.ts';
import { risks } from './risks.ts';

export interface Specialist {
  readonly name: 'Documents' | 'Code' | 'Risks' | 'History' | 'Numbers';
  readonly decide: Decide;
}

const SPECIALISTS = {
  documents: { name: 'Documents', decide: documents },
  code: { name: 'Code', decide: code },
  risks: { name: 'Risks', decide: risks },
  history: { name: 'History', decide: history },
  numbers: { name: 'Numbers', decide: numbers },
} as const satisfies Record<string, Specialist>;

/** Whom to ask: two at least, four at most. Whom the question calls for comes first, then whom the folder suggests. */
export function choose(question: Question, listing: Listing): Specialist[] {
  const { documents, code, risks, history, numbers } = SPECIALISTS;
  const { intents, terms } = question;
  const kinds = countKinds(listing);
  // "What are …" asks for a meaning only where nothing else is asked for.
  const searches = terms.length > 0 || (intents.size === 1 && intents.has('meaning'));
  const wanted: (Specialist | false)[] = [
    intents.has('risks') && risks,
    intents.has('history') && history,
    intents.has('numbers') && numbers,
    intents.has('code') && kinds.code > 0 && code,
    searches && kinds.document > 0 && documents,
    searches && kinds.code > 0 && code,
  ];
  const suggested: (Specialist | false)[] = [
    kinds.document > 0 && documents,
    kinds.code > 0 && code,
    kinds.table > 0 && numbers,
    numbers,
    documents,
  ];
  const chosen = new Set(wanted.filter((it) => it !== false).slice(0, 4));
  for (const one of suggested) if (one && chosen.size < 2) chosen.add(one);
  return [...chosen];
}

/** How many files of each kind are among those that the listing names. */
export function countKinds(listing: Listing): Record<FileKind, number> {
  const kinds = { document: 0, code: 0, table: 0, other: 0 };
  for (const { path } of listing.entries) kinds[kindOf(path)]++;
  return kinds;
}
