import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Listing } from '../tools/list.ts';
import type { Outcome } from '../tools/toolbox.ts';
import { compose } from './answer.ts';
import { choose } from './choice.ts';
import { DECIDE } from './consulting.ts';
import { understand } from './question.ts';

const listing = (...paths: string[]): Listing => ({
  folder: '.',
  files: paths.length,
  bytes: 0,
  entries: paths.map((path) => ({ path, bytes: 0 })),
  leftOut: [],
});
const names = (question: string, ...paths: string[]): string[] => choose(understand(question), listing(...paths));

describe('a question', () => {
  test.each([
    ['What are the risks in this project?', ['risks', 'meaning'], []],
    ['How do retries and caching work?', ['meaning'], ['retr', 'cach']],
    ['Who changed the policy last week?', ['history'], ['polic', 'week']],
    ['How many rows has sales.csv?', ['numbers'], ['row']],
    ['Where is the class RunWriter defined?', ['code'], ['runwriter']],
  ])('%s', (text, intents, terms) => {
    const question = understand(text);
    expect([...question.intents].sort()).toEqual([...intents].sort());
    expect(question.terms).toEqual(terms);
  });

  test('names paths: those with a slash or an extension, and those that lead out', () => {
    expect(understand('What is in `docs/guide`, (src/a.ts) and ../../etc/passwd?').paths).toEqual([
      'docs/guide',
      'src/a.ts',
      '../../etc/passwd',
    ]);
  });

  test('can be any text at all (property)', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 5_000 }), (text) => {
        expect(understand(text).terms.length).toBeLessThanOrEqual(8);
      }),
    );
  });
});

describe('the choice of specialists', () => {
  const code = ['src/a.ts', 'README.md'];
  test.each([
    ['What are the risks?', ['Risks', 'Documents']],
    ['Who changed what?', ['History', 'Documents']],
    ['How many lines are there?', ['Numbers', 'Documents']],
    ['Where is the class Cursor defined?', ['Code', 'Documents']],
    ['How does the cursor work?', ['Documents', 'Code']],
    ['Who wrote the most dangerous functions, and how many?', ['Risks', 'History', 'Numbers', 'Code']],
  ])('%s', (question, expected) => expect(names(question, ...code)).toEqual(expected));

  test('is two to four, without a repeat, whatever is asked and whatever is there (property)', () => {
    const path = fc.constantFrom('a.md', 'b.ts', 'c.csv', 'd.bin', 'LICENSE');
    fc.assert(
      fc.property(fc.string(), fc.array(path), (question, paths) => {
        const chosen = names(question, ...paths);
        expect(new Set(chosen).size).toBe(chosen.length);
        expect(chosen.length).toBeGreaterThanOrEqual(2);
        expect(chosen.length).toBeLessThanOrEqual(4);
      }),
    );
  });

  test('is told when a search stopped before its end', () => {
    const brief = { question: understand('What are the risks?'), listing: listing('a.md') };
    const looked = { files: 5_000, bytes: 1, unread: 0, stoppedAt: 'files' as const };
    const [name] = choose(brief.question, brief.listing);
    const move = DECIDE[name!](brief, [
      { tool: 'grep', args: { terms: [], folder: '.' }, result: { hits: [], lines: 0, counts: {}, looked } },
    ]);
    expect(move).toMatchObject({
      report: { notes: expect.arrayContaining([expect.stringContaining('more that I did not look at')]) },
    });
  });

  test('tells how many lines were found, not how many are shown', () => {
    const brief = { question: understand('What are the risks?'), listing: listing('a.md') };
    const hits = [{ path: 'a.md', line: 1, text: 'a danger', terms: ['danger'] }];
    const looked = { files: 1, bytes: 1, unread: 0 };
    const move = DECIDE.Risks(brief, [
      { tool: 'grep', args: { terms: ['danger'], folder: '.' }, result: { hits, lines: 500, counts: {}, looked } },
    ]);
    expect(move.note).toBe('500 lines with a telling word in 1 file; of 1 of them the 1 heaviest are shown.');
  });

  test('comes to an end even if every tool fails (property)', () => {
    const question = fc.constantFrom('risks?', 'who?', 'how many rows?', 'class Foo?', 'What is foo?', '');
    fc.assert(
      fc.property(question, fc.boolean(), (text, hasFiles) => {
        const brief = { question: understand(text), listing: listing(...(hasFiles ? ['a.md', 'b.ts', 'c.csv'] : [])) };
        for (const decide of choose(brief.question, brief.listing).map((it) => DECIDE[it])) {
          const seen: Outcome[] = [];
          let move = decide(brief, seen);
          for (let moves = 1; 'calls' in move; moves++) {
            expect(moves).toBeLessThan(6);
            seen.push(...move.calls.map((call): Outcome => ({ ...call, error: 'no' })));
            move = decide(brief, seen);
          }
          expect(move.report.findings).toEqual([]);
        }
      }),
    );
  });
});

test('an answer says each place once, and counts what it says', () => {
  const finding = (line: number, quote: string) => ({ path: 'a.md', line, quote });
  const said = [
    ...compose(
      understand('What is foo?'),
      'docs',
      [
        { name: 'Risks', report: { notes: ['One note.'], findings: [finding(1, 'foo'), finding(2, 'food')] } },
        {
          name: 'Documents',
          report: { notes: [], findings: [finding(1, 'fo'), { ...finding(3, 'fool'), why: 'it is' }] },
        },
      ],
      ['"../x" is not read.'],
    ),
  ].join('');
  expect(said).toBe(`I looked for “foo” and found 3 places in 1 file of docs.
"../x" is not read.

Risks
One note.
- a.md:1 “foo”
- a.md:2 “food”

Documents
- a.md:3 “fool” (it is)

Answered by rules, no LLM: words were searched and counted, nothing was understood.`);
});
