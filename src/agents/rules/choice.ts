import { type FileKind, kindOf } from '../kinds.ts';
import type { SpecialistName } from '../specialists.ts';
import type { Brief } from './move.ts';
import type { Question } from './question.ts';

type Entries = Pick<Brief['listing'], 'entries'>;

/** Whom to ask: two at least, four at most. Whom the question calls for comes first, then whom the folder suggests. */
export function choose({ intents, terms }: Question, listing: Entries): SpecialistName[] {
  const kinds = countKinds(listing);
  // "What are …" asks for a meaning only where nothing else is asked for.
  const searches = terms.length > 0 || (intents.size === 1 && intents.has('meaning'));
  const wanted: (SpecialistName | false)[] = [
    intents.has('risks') && 'Risks',
    intents.has('history') && 'History',
    intents.has('numbers') && 'Numbers',
    intents.has('code') && kinds.code > 0 && 'Code',
    searches && kinds.document > 0 && 'Documents',
    searches && kinds.code > 0 && 'Code',
  ];
  const suggested: (SpecialistName | false)[] = [
    kinds.document > 0 && 'Documents',
    kinds.code > 0 && 'Code',
    kinds.table > 0 && 'Numbers',
    'Numbers',
    'Documents',
  ];
  const chosen = new Set(wanted.filter((it) => it !== false).slice(0, 4));
  for (const one of suggested) if (one && chosen.size < 2) chosen.add(one);
  return [...chosen];
}

/** How many files of each kind are among those that the listing names. */
export function countKinds({ entries }: Entries): Record<FileKind, number> {
  const kinds = { document: 0, code: 0, table: 0, other: 0 };
  for (const { path } of entries) kinds[kindOf(path)]++;
  return kinds;
}
