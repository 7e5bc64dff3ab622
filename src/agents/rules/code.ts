import { definedBy, kindOf } from '../kinds.ts';
import type { Hit } from '../tools/grep.ts';
import { type Brief, best, cite, counted, type Decide, linesOf, named, results, tried, troubles } from './move.ts';

/** Where is it in the code? Finds the definitions that bear the name and its uses, reads the best, and quotes them. */
export const code: Decide = ({ question: { terms }, listing }, seen) => {
  const { folder } = listing;
  if (seen.length === 0 && terms.length === 0) return begin(listing);
  if (seen.length === 0) {
    return {
      note: `I look for definitions and uses of ${named(terms)} in the code.`,
      calls: [
        { tool: 'grep', args: { terms, folder, kinds: ['code'], match: 'definition' } },
        { tool: 'grep', args: { terms, folder, kinds: ['code'] } },
      ],
    };
  }
  const searches = results(seen, 'grep');
  const top = best(unique(searches.flatMap((it) => it.hits)), relevance, 6);
  if (!tried(seen, 'read') && top[0]) {
    const { path, line } = top[0];
    return {
      note: `${path}:${line} ${defines(top[0]) ? 'defines it' : 'uses it'}; I read it.`,
      calls: [{ tool: 'read', args: { path, from: Math.max(1, line - 5), count: 40 } }],
    };
  }
  const passages = results(seen, 'read');
  const defined = linesOf(passages).filter((it) => definedBy(it.text));
  const findings = (terms.length > 0 ? top : defined.slice(0, 6)).flatMap((line) => {
    const name = definedBy(line.text);
    return cite(line, name === undefined ? undefined : `defines ${name}`);
  });
  const looked = Math.max(0, ...searches.map((it) => it.looked.files));
  const nothing =
    terms.length > 0
      ? `${named(terms)}: nothing in ${counted(looked, 'source file')}.`
      : `${passages.map((it) => it.path).join()} defines nothing by itself.`;
  return {
    note: findings.length > 0 ? `${counted(findings.length, 'place')} to quote.` : nothing,
    report: { notes: [...(findings.length > 0 ? [] : [nothing]), ...troubles(seen)], findings },
  };
};

/** No name to search for: where a reader would begin. */
function begin({ entries }: Brief['listing']): ReturnType<Decide> {
  const sources = entries.map((it) => it.path).filter((it) => kindOf(it) === 'code');
  const path = sources.find((it) => /(?:^|\/)(?:main|index|app|__init__|lib)\.\w+$/.test(it)) ?? sources[0];
  if (path === undefined) return { note: 'There is no code.', report: { notes: ['There is no code.'], findings: [] } };
  return { note: `I begin where the code begins: ${path}.`, calls: [{ tool: 'read', args: { path } }] };
}

const defines = ({ text, terms }: Hit): boolean => {
  const name = definedBy(text)?.toLowerCase();
  return name !== undefined && terms.some((it) => name.includes(it));
};

/** The very name before names that contain it; what is defined at the left margin is what others use; tests come last. */
function relevance(hit: Hit): number {
  const { text, terms, path } = hit;
  const isName = terms.includes(definedBy(text)?.toLowerCase() ?? '') ? 4 : 0;
  const isDefined = defines(hit) ? (/^\s/.test(text) ? 2 : 6) : 0;
  const isImport = /^(?:import|from|use|#include)\b/.test(text) ? 2 : 0;
  const isTest = /test|spec|fixture|example/i.test(path) ? 5 : 0;
  return 4 * terms.length + isName + isDefined - isImport - isTest;
}

function unique(hits: readonly Hit[]): Hit[] {
  return [...new Map(hits.map((it) => [`${it.path}:${it.line}`, it])).values()];
}
