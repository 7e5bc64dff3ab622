/** What the examples do where there is no model: words are counted, nothing is understood. */

/** A sentence, and where it stands: a page or a file. */
export interface Passage<Place> {
  readonly place: Place;
  readonly text: string;
}

const WORDS = new Intl.Segmenter('en', { granularity: 'word' });
const SENTENCES = new Intl.Segmenter('en', { granularity: 'sentence' });
const LONGEST = 400;

/** Words of questions, and words that are everywhere. */
const COMMON = new Set(
  `a about all an and any are as at be been but by can could did do document does each file for from had has have how i if
  in into is it its many may me more most much must my no not of on one only or other our paper pdf report say should so
  some such tell text than that the their them then there these they this those to us was we were what when where which
  who whom whose why will with would you your`.split(/\s+/),
);

export function wordsOf(text: string): string[] {
  return [...WORDS.segment(text)].filter((it) => it.isWordLike).map((it) => it.segment.toLowerCase());
}

/** As words are compared: without the s of a plural. */
const stem = (word: string): string => (/[^s]s$/.test(word) && word.length > 3 ? word.slice(0, -1) : word);

/** The words of a question that can be looked for. */
export function termsOf(question: string): string[] {
  return [...new Set(wordsOf(question))].filter((it) => it.length > 1 && !COMMON.has(it));
}

/** Sentences, as far as paragraphs, headings, rows and points go. */
export function sentencesOf<Place>(place: Place, text: string): Passage<Place>[] {
  return text
    .split(/\n\s*\n|\n(?=[#|*-])/)
    .flatMap((part) => [...SENTENCES.segment(part.replaceAll(/\s+/g, ' '))])
    .map((it) => ({ place, text: clip(it.segment.trim()) }))
    .filter((it) => it.text.split(' ').length > 3);
}

const clip = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);

/** The words that the text itself uses most. */
export function commonest(text: string, most: number): string[] {
  const counts = new Map<string, number>();
  for (const term of wordsOf(text)) {
    if (term.length > 3 && !COMMON.has(term) && !/^\d/.test(term)) counts.set(term, (counts.get(term) ?? 0) + 1);
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, most)
    .map(([term]) => term);
}

/** The passages that say most about the terms, as they stand in the text. Rare terms count for more. */
export function best<Place>(
  passages: readonly Passage<Place>[],
  terms: readonly string[],
  most: number,
): Passage<Place>[] {
  const found = passages.map((passage) => {
    const words = new Set(wordsOf(passage.text).map(stem));
    return { passage, terms: terms.filter((it) => words.has(stem(it))) };
  });
  const weight = new Map(
    terms.map((term) => [term, Math.log(1 + passages.length / found.filter((it) => it.terms.includes(term)).length)]),
  );
  const ranked = found
    .map((it, index) => ({ ...it, index, score: it.terms.reduce((sum, term) => sum + weight.get(term)!, 0) }))
    .filter((it) => it.score > 0)
    .sort((a, b) => b.score - a.score || a.index - b.index);
  return ranked
    .slice(0, most)
    .sort((a, b) => a.index - b.index)
    .map((it) => it.passage);
}
