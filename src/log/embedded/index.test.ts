import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeSegmentHeader } from './commit-codec.ts';
import { openEmbedded } from './index.ts';
import { newDir } from './place.fixture.ts';

describe('openEmbedded', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await newDir();
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('refuses a directory that another process has open, and takes it when that process is gone', async () => {
    const APPENDER = new URL('./appender.fixture.ts', import.meta.url).pathname;
    const other = spawn(process.execPath, [APPENDER, dir, '1000000'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const gone = once(other, 'exit');
    try {
      await once(other.stdout, 'data');
      const refusal = await openEmbedded({ dir }).catch((error: unknown) => error);
      expect(refusal).toMatchObject({ code: 'store_locked', message: expect.stringContaining(dir) });
    } finally {
      other.kill('SIGKILL');
      await gone;
    }
    await (await openEmbedded({ dir })).close();
  });

  it('refuses a second store on the same directory in one process', async () => {
    const log = await openEmbedded({ dir });
    await expect(openEmbedded({ dir })).rejects.toMatchObject({ code: 'store_locked' });
    await log.close();
  });

  it('refuses a store that a newer version wrote, and leaves it as it is', async () => {
    await (await openEmbedded({ dir })).close();
    const segment = await open(join(dir, 'journal', '0000000001.log'), 'r+');
    await segment.write(encodeSegmentHeader({ version: 2, segment: 1, firstCommit: 1 }), 0);
    await segment.close();
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(openEmbedded({ dir })).rejects.toMatchObject({ code: 'store_version' });
    }
  });

  it('hands out the runs of the process before it, each once, to be ended', async () => {
    const { encodeEvent } = await import('../../protocol/index.ts');
    const event = (type: string, data: object) =>
      encodeEvent({ type, data: { ...data } }, { threadId: 'r1', runId: 'r1', time: '2026-11-20T18:00:00.000Z' });
    const opens = { agent: 'a', createdAt: '2026-11-20T18:00:00.000Z', leased: true };
    let log = await openEmbedded({ dir });
    await log.append('r1', [event('run.started', { agent: 'a' })], { runId: 'r1', opens });
    expect(await log.leases.takeExpired()).toEqual([]);
    await log.close();
    log = await openEmbedded({ dir });
    const [run, ...others] = await log.leases.takeExpired();
    expect([run?.runId, run?.fence, others]).toEqual(['r1', 2, []]);
    expect(await log.leases.takeExpired()).toEqual([]);
    const failed = [event('run.failed', { error: { code: 'executor_lost', message: 'gone' } })];
    const late = log.append('r1', failed, { runId: 'r1', closes: true, fence: 1 });
    await expect(late).rejects.toMatchObject({ code: 'lease_fenced' });
    await log.append('r1', failed, { runId: 'r1', closes: true, fence: 2 });
    expect(await log.runs.get('r1')).toMatchObject({ status: 'failed', fence: 2, last: 2 });
    await log.close();
  });
});
