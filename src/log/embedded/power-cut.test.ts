import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { appendAndKill, type Numbers, readAppended } from './appended.fixture.ts';
import type { Damage } from './damage.ts';
import { mount, noMount, unmount } from './mount.fixture.ts';
import { newDir, openStore } from './place.fixture.ts';

/** A kill leaves what the kernel has not written yet; a power cut does not. The image of a file system shows which is which. */
describe('a power cut while a process appends', () => {
  const reason = noMount() ?? noMount('mkfs.ext4');
  if (reason !== undefined) {
    it.skip(`loses nothing that was acknowledged (${reason})`);
    return;
  }

  it.each([
    ['with everything in the journal', 16 * 1024 * 1024],
    ['while it moves segments into the archive', 64 * 1024],
  ])('P1: loses nothing that was acknowledged before it, %s', async (_, segmentBytes) => {
    const dir = await newDir();
    const [image, copy, disk] = [join(dir, 'image'), join(dir, 'copy'), join(dir, 'disk')];
    await mkdir(disk);
    execFileSync('truncate', ['--size=48M', image]);
    execFileSync('mkfs.ext4', ['-q', '-F', image]);
    mount('-o', 'loop', image, disk);
    try {
      const before: Numbers = new Map();
      await appendAndKill(join(disk, 'store'), segmentBytes, [], 400, (acknowledged, pid) => {
        for (const [key, first] of acknowledged) before.set(key, first);
        stopNow(pid);
        execFileSync('cp', ['--sparse=always', image, copy]);
      });
      unmount(disk);
      mount('-o', 'loop', copy, disk);
      const told: Damage[] = [];
      const log = await openStore(join(disk, 'store'), segmentBytes, told);
      expect(told).toEqual([]);
      const found = await readAppended(log);
      await log.close();
      for (const [key, first] of before) expect(found.get(key), `acknowledged ${key}`).toBe(first);
    } finally {
      unmount(disk);
      await rm(dir, { recursive: true });
    }
  });
});

/** Stops a process in all its threads, so that the copy is of one moment: a power cut takes no time. */
function stopNow(pid: number): void {
  process.kill(pid, 'SIGSTOP');
  const tasks = `/proc/${pid}/task`;
  const state = (task: string) => /\) (\S)/.exec(readFileSync(`${tasks}/${task}/stat`, 'utf8'))?.[1];
  while (readdirSync(tasks).some((task) => state(task) !== 'T'));
}
