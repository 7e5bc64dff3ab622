/** Holds docs/claims.md: a claim without a test that exists is none. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/claims.md'), 'utf8');

const STATUSES = ['proved', 'otherwise', 'later'] as const;

/** Every section of each system's document, in its order. */
const SECTIONS: Readonly<Record<string, readonly string[]>> = {
  'agent-activity': [
    'Replaced on the server',
    'Replaced on the page',
    'Benefits',
    'How a session flows',
    'Event types',
    'Emitting',
    'Subscribing',
    'Local development',
    'Cloud deployment',
    'Migration',
    'When nothing connects',
    'When activities are missing',
  ],
  workflow: [
    'Architecture',
    'What was built',
    'Tests',
    'Event types',
    'In the page',
    'Real-time updates',
    'Filtering',
    'History',
    'Errors',
    'Heartbeats',
    'A task, event by event',
    'Benefits',
    'In production',
  ],
  execution: [
    'In a component',
    'On the back end',
    'Streaming',
    'Behind it',
    'In front of it',
    'Documentation',
    'Parts',
    'Event types',
    'By hand',
    'What to verify',
    'Architecture',
    'Uses',
    'No connection',
    'No events',
    'Dropped connections',
    'A UI that stands still',
    'Performance',
    'Security',
    'Before production',
    'Scaling',
    'What was left for later',
    'Support',
    'Summary',
  ],
  chat: [
    'Overview',
    'The stream of a question',
    'The stream of a post',
    'Formatting',
    'EventSource in the page',
    'Fetch in the page',
    'Buffering',
    'Drops',
    'CORS',
    'POST and EventSource',
    'Tests',
    'Best practices',
  ],
  thinking: [
    'Overview',
    'Architecture',
    'Decisions',
    'Parts',
    'A turn, line by line',
    'Several workers',
    'Buffering in the cloud',
    'The indicator',
    'When it is over',
    'The flyout',
    'Troubleshooting',
    'Dependencies',
  ],
};

interface Row {
  readonly system: string;
  readonly section: string;
  readonly claim: string;
  readonly status: string;
  /** The tests, or the reason. */
  readonly why: string;
}

const rows: Row[] = [];
const found: Record<string, string[]> = {};
for (const line of page.split('\n')) {
  const [, level, title = ''] = /^(##|###) (.+)$/.exec(line) ?? [];
  if (level === '##') found[title] = [];
  if (level === '###') Object.values(found).at(-1)!.push(title);
  const [system, sections] = Object.entries(found).at(-1) ?? [];
  const cells = line.split(' | ');
  if (!system || !line.startsWith('| ') || line.startsWith('| what is expected')) continue;
  const [claim = '', status = '', ...rest] = cells;
  const why = rest.join(' | ').replace(/ \|$/, '');
  rows.push({ system, section: sections!.at(-1)!, claim: claim.slice(2), status, why });
}

const testsOf = ({ why }: Row) =>
  [...why.matchAll(/`([^`]+)`: “([^”]+)”/g)].map(([, file, name]) => ({ file: file!, name: name! }));

/** Whether the file has a test of this name, or a case that becomes one, and does not leave it out. */
function isThere(file: string, name: string): boolean {
  if (!/^(?:src|bench|examples)\/.+\.(?:test\.tsx?|cases\.ts)$/.test(file) || !existsSync(join(root, file)))
    return false;
  const source = readFileSync(join(root, file), 'utf8');
  const literal = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(?:(?<!\\.skip)[(\\[]|name:)\\s*(['"\`])${literal}\\1`).test(source);
}

test('every section of each document is there, with rows', () => {
  expect(found).toEqual(SECTIONS);
  for (const [system, sections] of Object.entries(found)) {
    const empty = sections.filter((title) => !rows.some((row) => row.system === system && row.section === title));
    expect(empty, system).toEqual([]);
  }
});

test('every row is proved by tests, otherwise because of something, or later for a reason', () => {
  const wrong = rows.filter((row) => {
    const named = testsOf(row).length;
    // What stands in the cell beside the names of tests.
    const words = row.why.replace(/`[^`]+`: “[^”]+”/g, '').replace(/[;: ]/g, '');
    if (row.status === 'proved') return named === 0 || words !== '';
    if (row.status === 'otherwise') return !row.why.startsWith('because ');
    return row.status !== 'later' || named > 0 || words === '';
  });
  expect(wrong).toEqual([]);
  const claims = rows.map(({ system, section, claim }) => `${system}, ${section}: ${claim}`);
  expect(claims.filter((it, i) => claims.indexOf(it) !== i)).toEqual([]);
});

test('every test that is named is there', () => {
  const named = rows.flatMap(testsOf);
  expect(named.length).toBeGreaterThan(200);
  const missing = named.filter(({ file, name }) => !isThere(file, name));
  expect(missing).toEqual([]);
});

test('the counts are those of the rows', () => {
  const count = (of: readonly Row[]) => STATUSES.map((status) => of.filter((row) => row.status === status).length);
  const lines = Object.keys(SECTIONS).map((it) => [it, ...count(rows.filter(({ system }) => system === it))]);
  for (const line of [...lines, ['all', ...count(rows)]]) expect(page).toContain(`\n| ${line.join(' | ')} |\n`);
});
