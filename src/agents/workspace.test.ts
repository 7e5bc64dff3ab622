import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Entry, Workspace } from './workspace.ts';

let top: string;
let root: string;
let workspace: Workspace;
const signal = new AbortController().signal;

beforeEach(async () => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'telltale-workspace-')));
  root = join(top, 'inside');
  mkdirSync(join(root, 'docs'), { recursive: true });
  mkdirSync(join(top, 'outside'));
  mkdirSync(join(top, 'inside-too'));
  writeFileSync(join(top, 'outside', 'secret.txt'), 'secret\n');
  writeFileSync(join(top, 'inside-too', 'secret.txt'), 'secret\n');
  writeFileSync(join(root, 'docs', 'a.md'), '# A\r\ntwo\n');
  workspace = await Workspace.open(root);
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

async function walk(folder: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of workspace.walk(folder, signal)) entries.push(entry);
  return entries;
}

describe('a workspace', () => {
  test.each([
    ['its parent', '..'],
    ['a path up', '../outside/secret.txt'],
    ['a path up and in again beside it', '../inside-too/secret.txt'],
    ['a path down and up', 'docs/../../outside/secret.txt'],
    ['an absolute path', '/etc/passwd'],
    ['an absolute path of Windows', 'C:\\Windows\\win.ini'],
    ['a share', '\\\\host\\share'],
    ['a path with NUL', 'docs/a.md\0.png'],
    ['a link to a file outside', 'link.txt'],
    ['a link to a folder outside', 'links/secret.txt'],
    ['a link to a link outside', 'again/secret.txt'],
    ['a link to itself', 'circle'],
  ])('refuses %s', async (_name, path) => {
    symlinkSync(join(top, 'outside', 'secret.txt'), join(root, 'link.txt'));
    symlinkSync(join(top, 'outside'), join(root, 'links'));
    symlinkSync('links', join(root, 'again'));
    symlinkSync('circle', join(root, 'circle'));
    await expect(workspace.read(path, signal)).rejects.toMatchObject({ code: 'path_refused' });
    await expect(walk(path)).rejects.toMatchObject({ code: 'path_refused' });
  });

  test('refuses a folder that became a link to the outside after it was listed', async () => {
    mkdirSync(join(root, 'notes'));
    writeFileSync(join(root, 'notes', 'secret.txt'), 'harmless\n');
    expect((await workspace.read('notes/secret.txt', signal)).lines).toEqual(['harmless']);
    const walking = workspace.walk('.', signal);
    expect((await walking.next()).value).toMatchObject({ path: 'docs/a.md' });
    renameSync(join(root, 'notes'), join(root, 'moved'));
    symlinkSync(join(top, 'outside'), join(root, 'notes'));
    await expect(workspace.read('notes/secret.txt', signal)).rejects.toMatchObject({ code: 'path_refused' });
    for await (const entry of walking) expect(entry.path).not.toMatch(/^notes/);
  });

  test('follows a link that stays inside, and reads by lines whatever ends them', async () => {
    symlinkSync('docs', join(root, 'papers'));
    expect((await workspace.read('papers/a.md', signal)).lines).toEqual(['# A', 'two']);
  });

  test.each([
    '.env',
    '.ENV.production',
    'deploy/prod.env',
    'id_rsa',
    'tls/server.key',
    '.ssh/config',
    '.git/config',
    'docs/../.telltale/journal',
    'secrets.yaml',
    'harmless.txt',
  ])('names what holds keys or passwords, and does not read it: %s', async (path) => {
    const full = join(root, path);
    mkdirSync(join(full, '..'), { recursive: true });
    writeFileSync(path === 'harmless.txt' ? join(root, '.env') : full, 'KEY=abc\n');
    if (path === 'harmless.txt') symlinkSync('.env', full);
    await expect(workspace.read(path, signal)).rejects.toMatchObject({ code: 'path_refused' });
    await expect(walk(path)).rejects.toMatchObject({ code: 'path_refused' });
    expect((await walk('.')).map((it) => it.kind)).toContain('ignored');
    expect((await walk('.')).filter((it) => it.kind === 'file').map((it) => it.path)).toEqual(['docs/a.md']);
  });

  test.each(['.env.example', 'env.ts', 'id_rsa.pub', 'secrets.ts', 'keys.md'])('reads %s', async (path) => {
    writeFileSync(join(root, path), 'KEY=\n');
    expect((await workspace.read(path, signal)).lines).toEqual(['KEY=']);
  });

  test('is no wider than its own folder: a neighbour with the same beginning is outside', async () => {
    symlinkSync(join(top, 'inside-too'), join(root, 'too'));
    await expect(workspace.read('too/secret.txt', signal)).rejects.toMatchObject({ code: 'path_refused' });
  });

  test.each([
    ['a folder', 'docs', 'not a file'],
    ['a file with NUL bytes', 'binary', 'not UTF-8 text'],
    ['a file that is not UTF-8', 'latin1.txt', 'not UTF-8 text'],
    ['a FIFO, without waiting for its writer', 'fifo', 'not a file'],
  ])('does not read %s', async (_name, path, why) => {
    writeFileSync(join(root, 'binary'), Buffer.from([1, 2, 0, 3]));
    writeFileSync(join(root, 'latin1.txt'), Buffer.from([0x67, 0xfc, 0x6e]));
    execFileSync('mkfifo', [join(root, 'fifo')]);
    await expect(workspace.read(path, signal)).rejects.toMatchObject({
      code: 'tool_failed',
      message: expect.stringContaining(why),
    });
  });

  test('reads the beginning of a large file, even where that ends in the middle of a character', async () => {
    writeFileSync(join(root, 'large.txt'), `${'ü'.repeat(700_000)}\n`);
    writeFileSync(join(root, 'odd.txt'), `x${'ü'.repeat(700_000)}\n`);
    for (const path of ['large.txt', 'odd.txt']) {
      const { lines, truncated } = await workspace.read(path, signal);
      expect(truncated).toBe(true);
      expect(lines[0]).toMatch(/^x?ü{524287,524288}$/);
    }
  });

  test('walks in order of names, names links and ignored folders, and enters neither', async () => {
    for (const folder of ['.git', 'node_modules/x', 'src']) mkdirSync(join(root, folder), { recursive: true });
    writeFileSync(join(root, 'node_modules', 'x', 'index.js'), '');
    writeFileSync(join(root, 'src', 'b.ts'), 'b');
    symlinkSync('src', join(root, 'source'));
    expect((await walk('.')).map(({ path, kind }) => `${kind} ${path}`).sort()).toEqual([
      'file docs/a.md',
      'file src/b.ts',
      'ignored .git',
      'ignored node_modules',
      'link source',
    ]);
    expect(await walk('src/b.ts')).toEqual([{ path: 'src/b.ts', kind: 'file', bytes: 1 }]);
  });

  test('stops walking and reading once it is told to', async () => {
    const stopped = AbortSignal.abort(new Error('stop'));
    await expect(workspace.walk('.', stopped).next()).rejects.toThrow('stop');
    await expect(workspace.read('docs/a.md', stopped)).rejects.toThrow('stop');
  });

  test('has to be a folder', async () => {
    await expect(Workspace.open(join(top, 'nowhere'))).rejects.toMatchObject({ code: 'not_found' });
    await expect(Workspace.open(join(root, 'docs', 'a.md'))).rejects.toMatchObject({ code: 'not_found' });
    await expect(workspace.read('nowhere.md', signal)).rejects.toMatchObject({ code: 'not_found' });
  });
});
