import { headingOf, kindOf } from '../kinds.ts';
import type { Finding, Report } from '../report.ts';
import type { Hit, Line } from '../tools/grep.ts';
import type { Passage } from '../tools/read.ts';
import { type Brief, best, cite, counted, type Decide, linesOf, named, results, tried, troubles } from './move.ts';

/** Where documents tell of risks, when the question says no more than that. */
const ABOUT_RISKS = ['risk', 'secur', 'threat', 'limit', 'promise', 'assum'];

/** What do the documents say about it? Searches them, reads the best places, and quotes headings and what follows. */
export const documents: Decide = (brief, seen) => {
  const { question } = brief;
  const terms = question.terms.length === 0 && question.intents.has('risks') ? ABOUT_RISKS : question.terms;
  const passages = results(seen, 'read');
  if (terms.length === 0) return opening(brief, passages, seen.length > 0 ? troubles(seen) : undefined);
  const { folder } = brief.listing;
  const [found] = results(seen, 'grep');
  if (seen.length === 0) {
    return {
      note: `I look for ${named(terms)} in the documents.`,
      calls: [{ tool: 'grep', args: { terms, folder, kinds: ['document', 'other'] } }],
    };
  }
  const top = best(found?.hits ?? [], relevance, 6);
  if (!tried(seen, 'read') && top.length > 0) {
    const [first, other] = [top[0]!, top.find((it) => it.path !== top[0]!.path)];
    const places = other ? [first, other] : [first];
    return {
      note: `${places.map((it) => `${it.path}:${it.line}`).join(' and ')} look${other ? '' : 's'} best; I read on from there.`,
      calls: places.map(({ path, line }) => ({ tool: 'read', args: { path, from: line, count: 30 } })),
    };
  }
  const looked = found?.looked.files ?? 0;
  const nothing = `${named(terms)}: nothing in ${counted(looked, 'document')}.`;
  const findings = top.flatMap((hit) => [...cite(hit), ...whatFollows(hit, passages)]).slice(0, 8);
  return {
    note: findings.length > 0 ? `${counted(findings.length, 'place')} to quote.` : nothing,
    report: { notes: [...(findings.length > 0 ? [] : [nothing]), ...troubles(seen)], findings },
  };
};

/** Headings and definitions answer more than mentions; several of the terms in one line more than one of them. */
function relevance({ text, terms, path }: Hit): number {
  const defines = terms.some((it) => /^\S{0,20} (?:is|are|means) /.test(text.toLowerCase().split(it)[1] ?? ''));
  return 4 * terms.length + (headingOf(text) ? 3 : 0) + (defines ? 3 : 0) + (/readme/i.test(path) ? 1 : 0);
}

/** A heading says where the answer is; the first line below it begins the answer. */
function whatFollows(hit: Line, passages: readonly Passage[]): Finding[] {
  if (!headingOf(hit.text)) return [];
  const lines = linesOf(passages).filter((it) => it.path === hit.path && it.line > hit.line);
  const next = lines.find(({ text }) => isProse(text));
  return next ? cite(next) : [];
}

/** No word to search for: what the folder itself says it is. */
function opening({ listing }: Brief, passages: readonly Passage[], failed?: readonly string[]): ReturnType<Decide> {
  const all = listing.entries.map((it) => it.path).filter((it) => kindOf(it) === 'document');
  const chosen = all.sort((a, b) => rank(a) - rank(b)).slice(0, 2);
  if (!failed && chosen.length > 0) {
    return {
      note: `The question names nothing to search for, so I read what introduces the folder: ${chosen.join(' and ')}.`,
      calls: chosen.map((path) => ({ tool: 'read', args: { path, count: 60 } })),
    };
  }
  const findings = passages.flatMap((passage) => {
    const lines = linesOf([passage]);
    const title = lines.find(({ text }) => headingOf(text));
    const first = lines.find(({ text }) => isProse(text));
    return [title, first].flatMap((it) => (it ? cite(it) : []));
  });
  const report: Report = {
    notes: [...(chosen.length === 0 ? ['There are no documents here.'] : []), ...(failed ?? [])],
    findings,
  };
  return { note: chosen.length === 0 ? 'There are no documents here.' : 'That is how it introduces itself.', report };
}

const isProse = (text: string): boolean => /^\s*[\p{L}\p{N}“"*_[(-]/u.test(text) && text.trim().length > 3;

/** README first, and what stands higher up in the tree. */
const rank = (path: string): number => path.split('/').length * 2 - (/(?:^|\/)readme/i.test(path) ? 3 : 0);
