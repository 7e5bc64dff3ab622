import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { TelltaleError } from '../../protocol/index.ts';
import { clip } from '../presentable.ts';
import type { Workspace } from '../workspace.ts';
import { place } from './list.ts';

export const gitLogArgs = z.object({
  folder: place,
  count: z.int().min(1).max(100).exactOptional().describe('How many commits at most, newest first; 50 by default.'),
});
export type GitLogArgs = z.infer<typeof gitLogArgs>;

export interface Commit {
  readonly id: string;
  readonly author: string;
  /** RFC 3339. */
  readonly time: string;
  readonly subject: string;
  readonly files: readonly string[];
}

export interface History {
  /** Newest first. */
  readonly commits: readonly Commit[];
}

const MAX = { commits: 100, files: 12, milliseconds: 10_000, bytes: 4 * 1024 * 1024, subject: 200 };

/**
 * A repository's own configuration can name programs to run. Log needs none of them, and none is left: no pager, no
 * hooks, no fsmonitor, no external diff, no signature check, and no transport (a partial clone would fetch).
 */
const SAFE = [
  '--no-pager',
  '--no-optional-locks',
  ...['core.fsmonitor=false', 'core.hooksPath=/dev/null', 'log.showSignature=false', 'protocol.allow=never'].flatMap(
    (it) => ['-c', it],
  ),
];

/**
 * Who changed what, and when, as git tells it of the folder.
 *
 * @throws {TelltaleError} `tool_failed` with git's own words: not a repository, no commits, no git here.
 */
export async function gitLog(workspace: Workspace, args: GitLogArgs, signal: AbortSignal): Promise<History> {
  const place = await workspace.resolve(args.folder);
  const isFolder = (await stat(place)).isDirectory();
  const output = await git(
    [
      ...SAFE,
      ...['-C', isFolder ? place : dirname(place), 'log', `--max-count=${Math.min(args.count ?? 50, MAX.commits)}`],
      ...['--no-color', '--no-ext-diff', '--no-textconv', '--no-renames', '--name-only', '--relative'],
      // Unit and record separators: no subject that git writes as one line holds them by accident.
      ...['--format=%x1e%H%x1f%an%x1f%aI%x1f%s%x1f', '--', isFolder ? '.' : place],
    ],
    signal,
  );
  const commits = output
    .split('\x1e')
    .slice(1)
    .map((record): Commit => {
      const [id = '', author = '', time = '', subject = '', files = ''] = record.split('\x1f');
      const changed = files.split('\n').filter(Boolean).slice(0, MAX.files);
      return { id: id.slice(0, 12), author, time, subject: clip(subject, MAX.subject), files: changed };
    });
  return { commits };
}

function git(args: readonly string[], signal: AbortSignal): Promise<string> {
  const options = { signal, timeout: MAX.milliseconds, maxBuffer: MAX.bytes, killSignal: 'SIGKILL' } as const;
  return new Promise((resolve, reject) => {
    execFile('git', args, options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      if (signal.aborted) return reject(signal.reason);
      const said = /^(?:fatal|error): (.*)$/m.exec(stderr)?.[1];
      const why = error.code === 'ENOENT' ? 'git is not installed here' : (said ?? error.message);
      reject(new TelltaleError('tool_failed', `git log: ${why}`));
    });
  });
}
