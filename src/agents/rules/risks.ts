import { kindOf } from '../kinds.ts';
import { HIDDEN } from '../presentable.ts';
import type { Hit } from '../tools/grep.ts';
import { best, cite, counted, type Decide, named, results, troubles } from './move.ts';

/** Words that give a risk away, what they tell, and how heavy it is. */
const SIGNS: readonly (readonly [why: string, weight: number, words: readonly string[]])[] = [
  ['runs text as code', 6, ['eval(', 'new function(', 'os.system(', 'shell=true']],
  ['speaks of secrets', 2, ['password', 'passwd', 'secret', 'api_key', 'apikey', 'private key']],
  ['switches a protection off', 5, ['verify=false', 'rejectunauthorized', 'chmod 777', '@ts-ignore', 'eslint-disable']],
  ['lets markup through', 5, ['innerhtml', 'dangerouslysetinnerhtml']],
  ['names a danger', 4, ['risk', 'danger', 'unsafe', 'insecure', 'vulnerab', 'data loss', 'race condition']],
  ['must not happen', 3, ['must not', 'must never', 'do not', 'caution']],
  ['is unfinished', 3, ['todo', 'fixme', 'not yet', 'workaround', 'known issue', 'known bug', 'there yet']],
  ['is on its way out', 2, ['deprecated', 'legacy', 'obsolete']],
  ['has limits', 2, ['limitation', 'not supported', 'not promised', 'at most once']],
];
const MEANING = new Map(SIGNS.flatMap(([why, weight, words]) => words.map((it) => [it, { why, weight }] as const)));

/** Those of them that tell by what people write, not by what programs do. */
const WORDS = new Set([
  'speaks of secrets',
  'names a danger',
  'must not happen',
  'is unfinished',
  'is on its way out',
  'has limits',
]);

/** What can go wrong here? Searches for the words that give risks away, nearest to what the question names first. */
export const risks: Decide = ({ question: { terms }, listing: { folder } }, seen) => {
  const [signs, subject] = results(seen, 'grep');
  if (seen.length === 0) {
    return {
      note: `I search for ${MEANING.size} words that give risks away, from “eval(” to “todo”${terms.length > 0 ? `, and for ${named(terms)}` : ''}.`,
      calls: [
        { tool: 'grep', args: { terms: [...MEANING.keys()], folder } },
        ...(terms.length > 0 ? [{ tool: 'grep', args: { terms, folder } } as const] : []),
      ],
    };
  }
  const hits = signs?.hits ?? [];
  const chosen = best(hits, (hit) => weight(hit) + nearness(hit, subject?.hits ?? []), 8, 2);
  const findings = chosen.flatMap((hit) => cite(hit, heaviest(hit)?.why));
  const looked = counted(signs?.looked.files ?? 0, 'file');
  const lines = signs?.lines ?? 0;
  const shown =
    lines > hits.length ? `of ${hits.length} of them the ${chosen.length} heaviest` : `the ${chosen.length} heaviest`;
  const sum =
    hits.length === 0
      ? `None of ${MEANING.size} telling words in ${looked}; that is no proof of safety.`
      : `${counted(lines, 'line')} with a telling word in ${looked}; ${shown} are shown.`;
  return { note: sum, report: { notes: [sum, ...troubles(seen)], findings } };
};

/** What tells most; a value that was taken for a secret more than any word. */
function heaviest({ terms, text }: Hit): { readonly why: string; readonly weight: number } | undefined {
  if (text.includes(HIDDEN)) return { why: 'holds a secret', weight: 9 };
  return terms.flatMap((it) => MEANING.get(it) ?? []).sort((a, b) => b.weight - a.weight)[0];
}

/**
 * Tests and examples show a danger more often than they are one, a line full of telling words is a list of words, and
 * in code a plain word is a name unless it stands in a comment.
 */
function weight(hit: Hit): number {
  const { why, weight } = heaviest(hit) ?? { why: '', weight: 0 };
  const shows = /test|spec|fixture|example/i.test(hit.path) || hit.terms.length > 3;
  const isName = kindOf(hit.path) === 'code' && WORDS.has(why) && !/(?:^|\s)(?:\/\/|\/?\*|#|--)/.test(hit.text);
  return weight + hit.terms.length - (shows ? 8 : 0) - (isName ? 6 : 0) + (kindOf(hit.path) === 'document' ? 1 : 0);
}

/** Near to what the question names: in the same lines, or at least in the same file. */
function nearness(hit: Hit, subject: readonly Hit[]): number {
  const same = subject.filter((it) => it.path === hit.path);
  if (same.some((it) => Math.abs(it.line - hit.line) <= 3)) return 8;
  return same.length > 0 ? 3 : 0;
}
