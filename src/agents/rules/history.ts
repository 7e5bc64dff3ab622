import { headingOf } from '../kinds.ts';
import type { Commit } from '../tools/git-log.ts';
import { cite, counted, type Decide, linesOf, named, results, tried, troubles } from './move.ts';

/** Who changed what, and when? Asks git, and reads the change log if there is one. */
export const history: Decide = ({ question: { terms }, listing }, seen) => {
  const [log] = results(seen, 'gitLog');
  const passages = results(seen, 'read');
  if (seen.length === 0) {
    const changes = listing.entries.find((it) =>
      /(?:^|\/)(?:changelog|changes|history|news)(?:\.\w+)?$/i.test(it.path),
    );
    return {
      note: `I ask git${changes ? ` and read ${changes.path}` : ''}.`,
      calls: [
        { tool: 'gitLog', args: { folder: listing.folder } },
        ...(changes ? [{ tool: 'read', args: { path: changes.path, count: 40 } } as const] : []),
      ],
    };
  }
  if (!log && passages.length === 0 && !tried(seen, 'grep')) {
    const words = terms.length > 0 ? terms : ['changed', 'released', 'since', 'version', 'deadline'];
    return {
      note: `Git cannot help here; perhaps the files themselves say something about ${named(words)}.`,
      calls: [{ tool: 'grep', args: { terms: words, folder: listing.folder } }],
    };
  }
  const lines = linesOf(passages).filter(({ text }) => headingOf(text) || /^\s*[-*] /.test(text));
  const hits = results(seen, 'grep').flatMap((it) => it.hits);
  const findings = [...lines.slice(0, 4), ...hits.slice(0, 4)].flatMap((it) => cite(it));
  const notes = [...(log ? tell(log.commits, terms) : []), ...troubles(seen)];
  return {
    note: log ? `${counted(log.commits.length, 'commit')} read.` : 'No history of versions here.',
    report: { notes, findings },
  };
};

function tell(commits: readonly Commit[], terms: readonly string[]): string[] {
  const [newest, oldest] = [commits[0], commits.at(-1)];
  if (!newest || !oldest) return ['Git knows no commit that touched this folder.'];
  const authors = counts(commits.map((it) => it.author));
  const files = counts(commits.flatMap((it) => it.files));
  const about = commits.filter((it) =>
    terms.some((term) => `${it.subject} ${it.files.join(' ')}`.toLowerCase().includes(term)),
  );
  return [
    `The last ${counted(commits.length, 'commit')}, ${day(oldest)} to ${day(newest)}, are by ${list(authors)}.`,
    ...(files.length > 0 ? [`Changed most often: ${list(files)}.`] : []),
    ...(about.length > 0
      ? [`About ${named(terms)}:`, ...about.slice(0, 5).map(line)]
      : ['Newest:', ...commits.slice(0, 5).map(line)]),
  ];
}

const day = ({ time }: Commit): string => time.slice(0, 10);
const line = (it: Commit): string => `${it.id} ${day(it)} ${it.author}: ${it.subject}`;

const list = (all: readonly (readonly [string, number])[]): string =>
  all
    .slice(0, 4)
    .map(([name, n]) => `${name} (${n})`)
    .join(', ');

function counts(names: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}
