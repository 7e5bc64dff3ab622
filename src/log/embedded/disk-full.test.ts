import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { encodeEvent, TelltaleError } from '../../protocol/index.ts';
import type { Ack, Log } from '../index.ts';
import type { Damage } from './damage.ts';
import { mount, noMount, unmount } from './mount.fixture.ts';
import { newDir, openStore } from './place.fixture.ts';

/** One producer that appends to one run, and what it knows of it. */
class Producer {
  readonly acks: Ack[] = [];

  async append(log: Log): Promise<void> {
    const seq = this.acks.length;
    const data = { name: 'n', value: `${seq} ${'x'.repeat(2000)}` };
    const event = encodeEvent(
      { type: 'custom', data },
      { threadId: 't', runId: 'r', time: '2026-11-20T18:00:00.000Z' },
    );
    const opens = { agent: 'a', createdAt: '2026-11-20T18:00:00.000Z' };
    const producer = { id: 'p', epoch: 0, seq, digest: `${seq}` };
    this.acks.push(await log.append('t', [event], { runId: 'r', producer, ...(seq === 0 && { opens }) }));
  }

  async appendUntilRefused(log: Log): Promise<TelltaleError> {
    try {
      for (;;) await this.append(log);
    } catch (error) {
      return TelltaleError.from(error);
    }
  }

  /** Everything acknowledged is there, once, and nothing else. */
  async check(log: Log): Promise<void> {
    const values: string[] = [];
    let after = 0;
    for (;;) {
      const { head, blocks } = await log.read('t', after);
      expect(head.epochs).toHaveLength(1);
      for (const block of blocks) {
        expect(block.first).toBe(after + 1);
        after = block.last;
        for (const { data } of block.events()) values.push(String((data as { value: unknown }).value).split(' ')[0]!);
      }
      if (blocks.length === 0) break;
    }
    expect(values).toEqual(this.acks.map((_, seq) => String(seq)));
    expect(this.acks.map(({ first }) => first)).toEqual(this.acks.map((_, seq) => seq + 1));
  }
}

describe('a full disk', () => {
  const reason = noMount();
  if (reason !== undefined) {
    it.skip(`loses nothing that was acknowledged (${reason})`);
    return;
  }

  it.each([
    ['under the journal', 16 * 1024 * 1024],
    ['under the archive', 100 * 1024],
  ])(
    'P1: %s loses nothing, reads go on, and appends do once there is room, without a restart',
    async (_, segmentBytes) => {
      const dir = await newDir();
      mount('-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', dir);
      try {
        const ballast = join(dir, 'ballast');
        // More than half: to be opened anew LevelDB needs about as much as it holds unsorted.
        await writeFile(ballast, Buffer.alloc(2.5 * 1024 * 1024));
        const told: Damage[] = [];
        const store = join(dir, 'store');
        let log = await openStore(store, segmentBytes, told);
        const producer = new Producer();
        for (let attempt = 0; attempt < 3; attempt++) {
          const refusal = await producer.appendUntilRefused(log);
          expect([refusal.code, refusal.retryable]).toEqual(['storage_full', true]);
          await producer.check(log);
        }
        const before = producer.acks.length;
        expect(before).toBeGreaterThan(100);
        await rm(ballast);
        await vi.waitFor(() => producer.append(log), { timeout: 10_000, interval: 20 });
        for (let i = 0; i < 50; i++) await producer.append(log);
        await producer.check(log);
        await log.close();
        log = await openStore(store, segmentBytes, told);
        await producer.check(log);
        await log.close();
        expect(told).toEqual([]);
      } finally {
        unmount(dir);
        await rm(dir, { recursive: true });
      }
    },
  );
});
