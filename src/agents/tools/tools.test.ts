import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Workspace } from '../workspace.ts';
import { gitLog } from './git-log.ts';
import { grep } from './grep.ts';
import { list } from './list.ts';
import { read } from './read.ts';
import { statistics } from './statistics.ts';

let root: string;
let workspace: Workspace;
const signal = new AbortController().signal;
const write = (path: string, text: string | Uint8Array): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
};

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'telltale-tools-'));
  workspace = await Workspace.open(root);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('list', () => {
  test('counts everything and names the first five hundred', async () => {
    for (let i = 0; i < 600; i++) write(`f${String(i).padStart(4, '0')}.txt`, 'abc');
    write('node_modules/x/y.js', '');
    const listing = await list(workspace, { folder: '.' }, signal);
    expect(listing).toMatchObject({ files: 600, bytes: 1_800, leftOut: ['node_modules'] });
    expect(listing.entries).toHaveLength(500);
  });
});

describe('read', () => {
  test('gives a part with its place, and says how much there is', async () => {
    write('a.txt', Array.from({ length: 1_000 }, (_, i) => `line ${i + 1}`).join('\n'));
    const passage = await read(workspace, { path: 'a.txt', from: 998, count: 10 }, signal);
    expect(passage).toEqual({ path: 'a.txt', from: 998, total: 1_000, lines: ['line 998', 'line 999', 'line 1000'] });
  });

  test.each([
    ['password = "correct horse"', 'password = ‹hidden›'],
    ["API_KEY: 'abcdef123456'", 'API_KEY: ‹hidden›'],
    ['export SECRET=abcdef123456', 'export SECRET=‹hidden›'],
    ['DATABASE_URL=postgres://admin:hunter22@db/prod', 'DATABASE_URL=postgres://admin:‹hidden›@db/prod'],
    ['STRIPE=sk_live_51Habcdefghijklmnop # ours', 'STRIPE=‹hidden› # ours'],
    ['see http://localhost:8080/a@b', 'see http://localhost:8080/a@b'],
    ['a task-list_of_things-to-do-tomorrow', 'a task-list_of_things-to-do-tomorrow'],
    ['const token = readToken(request);', 'const token = readToken(request);'],
    ['The password is asked for once.', 'The password is asked for once.'],
  ])('keeps the value of a secret out of the log: %s', async (line, shown) => {
    write('settings.ini', line);
    expect((await read(workspace, { path: 'settings.ini' }, signal)).lines).toEqual([shown]);
    const terms = ['password', 'api_key', 'secret', 'token', 'postgres', 'stripe', 'http', 'task'];
    expect((await grep(workspace, { terms, folder: '.' }, signal)).hits).toEqual([
      expect.objectContaining({ text: shown }),
    ]);
  });
});

describe('grep', () => {
  test('finds the beginnings of words, also inside a name, with their lines', async () => {
    write('a.md', 'Retry later.\nno match\nretries, and formatRetry too\npoetry');
    const { hits, counts } = await grep(workspace, { terms: ['retr'], folder: '.' }, signal);
    expect(hits.map((it) => it.line)).toEqual([1, 3]);
    expect(counts).toEqual({ retr: 2 });
  });

  test('takes every sign of a term for itself', async () => {
    write('a.js', 'eval(x)\nevalx\n(a+)+$\n');
    expect((await grep(workspace, { terms: ['eval('], folder: '.' }, signal)).hits.map((it) => it.line)).toEqual([1]);
    expect((await grep(workspace, { terms: ['(a+)+$'], folder: '.' }, signal)).hits.map((it) => it.line)).toEqual([3]);
  });

  test('never lets one file take all the room, and counts beyond what it shows', async () => {
    write('a.txt', 'word\n'.repeat(500));
    write('b.txt', 'word\n');
    const { hits, lines, counts } = await grep(workspace, { terms: ['word'], folder: '.' }, signal);
    expect(new Set(hits.map((it) => it.path))).toEqual(new Set(['a.txt', 'b.txt']));
    expect([lines, counts]).toEqual([501, { word: 501 }]);
  });

  test('quotes what stands on the line, whatever the file holds (property)', async () => {
    const line = fc.string({ unit: 'binary', maxLength: 600 }).filter((it) => !/[\n\0]/.test(it) && it.isWellFormed());
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 8 }), async (lines) => {
        const text = lines.map((it) => `needle ${it}`).join('\n');
        write('any.txt', text);
        const raw = text.split(/\r?\n/);
        const { hits } = await grep(workspace, { terms: ['needle'], folder: '.' }, signal);
        expect(hits).toHaveLength(lines.length);
        for (const { line, text } of hits) expect(raw[line - 1]).toContain(text.split('‹hidden›')[0]);
      }),
      { numRuns: 100 },
    );
  });

  test('stops at five thousand files, and says so', async () => {
    for (let i = 0; i < 5_001; i++) write(`f${i}.txt`, '');
    const { looked } = await grep(workspace, { terms: ['x'], folder: '.' }, signal);
    expect(looked).toMatchObject({ files: 5_000, stoppedAt: 'files' });
  });

  test('says what it could not read, and takes linear time on a hostile line', async () => {
    write('binary', Buffer.from([0, 1, 2]));
    write('long.txt', `${'token='.repeat(170_000)}(`);
    const start = performance.now();
    const { looked } = await grep(workspace, { terms: ['token'], folder: '.' }, signal);
    expect(looked).toMatchObject({ files: 1, unread: 1 });
    // Without the cut before the pattern for secrets this one line takes minutes.
    expect(performance.now() - start).toBeLessThan(3_000);
  });
});

describe('statistics', () => {
  test('counts lines, words, headings and definitions, and adds up tables', async () => {
    write('a.md', '# One\ntwo words\n\n## Two\n');
    write('src/a.ts', 'export function one() {}\nconst two = 2;\nimport three from "x";\n');
    write('sales.csv', 'city,amount,note\n"Bern, CH",10,x\nUster,-2.5,"a\nb"\nAarau,,\n');
    const result = await statistics(workspace, { folder: '.' }, signal);
    expect(result).toMatchObject({ lines: 12, headings: 2, definitions: 2, looked: { files: 3, unread: 0 } });
    expect(result.tables).toEqual([
      {
        path: 'sales.csv',
        rows: 3,
        columns: ['city', 'amount', 'note'],
        figures: [{ name: 'amount', count: 2, sum: 7.5, min: { value: -2.5, line: 3 }, max: { value: 10, line: 2 } }],
      },
    ]);
  });
});

describe('gitLog', () => {
  const git = (...args: string[]): void => {
    const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.test', '-c', 'commit.gpgsign=false'];
    execFileSync('git', ['-C', root, ...identity, ...args], { stdio: 'ignore' });
  };

  /** Gives a commit a signature, so that git would have it checked by the program that the repository names. */
  const sign = (name: string): void => {
    const at = { cwd: root, encoding: 'utf8' } as const;
    const commit = execFileSync('git', ['cat-file', 'commit', name], at);
    const signature = 'gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQEz\n -----END PGP SIGNATURE-----\n';
    const input = commit.replace(/\n\n/, `\n${signature}\n`);
    const id = execFileSync('git', ['hash-object', '-t', 'commit', '-w', '--stdin'], { ...at, input }).trim();
    git('update-ref', 'HEAD', id);
  };

  test('tells who changed what and when, of the folder that was asked for', async () => {
    git('init');
    write('docs/a.md', 'a');
    write('b.ts', 'b');
    git('add', '.');
    git('commit', '-m', 'First: both');
    write('b.ts', 'c');
    git('commit', '-am', 'Second: code only');
    const all = await gitLog(workspace, { folder: '.' }, signal);
    expect(all.commits.map((it) => it.subject)).toEqual(['Second: code only', 'First: both']);
    expect(all.commits[1]).toMatchObject({ author: 'Ada', files: ['b.ts', 'docs/a.md'] });
    const docs = await gitLog(workspace, { folder: 'docs' }, signal);
    expect(docs.commits.map((it) => it.subject)).toEqual(['First: both']);
  });

  test('runs nothing that the configuration of a repository names', async () => {
    git('init');
    write('a.md', 'a');
    git('add', '.');
    git('commit', '-m', 'One');
    sign('HEAD');
    const trap = join(root, 'trap.sh');
    write('trap.sh', `#!/bin/sh\ntouch '${join(root, 'sprung')}'\n`);
    chmodSync(trap, 0o755);
    for (const key of [
      'core.pager',
      'pager.log',
      'core.fsmonitor',
      'diff.external',
      'gpg.program',
      'core.sshCommand',
    ]) {
      git('config', key, trap);
    }
    git('config', 'log.showSignature', 'true');
    expect((await gitLog(workspace, { folder: '.' }, signal)).commits).toHaveLength(1);
    expect(existsSync(join(root, 'sprung'))).toBe(false);
  });

  test('fails in the words of git where there is no repository', async () => {
    await expect(gitLog(workspace, { folder: '.' }, signal)).rejects.toMatchObject({
      code: 'tool_failed',
      message: expect.stringContaining('not a git repository'),
    });
  });
});
