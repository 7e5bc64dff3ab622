import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import type { Damage } from './damage.ts';
import { newDir, openStore } from './place.fixture.ts';

const APPENDER = new URL('./appender.fixture.ts', import.meta.url).pathname;

/** Lets a process append, kills it after so many acknowledgements, and gives them: number by "producer.seq". */
async function appendUntilKilled(
  dir: string,
  segmentBytes: number,
  next: number[],
  acks: number,
): Promise<Map<string, number>> {
  const child = spawn(process.execPath, [APPENDER, dir, String(segmentBytes), ...next.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const acknowledged = new Map<string, number>();
  const failures: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const [producer, seq, first] = line.split(' ');
    if (producer === 'failed') failures.push(line);
    if (first === undefined || producer === 'failed') continue;
    acknowledged.set(`${producer}.${seq}`, Number(first));
    if (acknowledged.size >= acks) child.kill('SIGKILL');
  }
  await exited;
  expect(failures).toEqual([]);
  return acknowledged;
}

describe('a process that is killed while it appends', () => {
  const rounds = process.env.TELLTALE_LONG ? 200 : 25;
  it.each([
    ['with everything in the journal', 16 * 1024 * 1024],
    ['while it moves segments into the archive', 16 * 1024],
  ])(
    `P1: loses nothing it acknowledged and repeats nothing, %s (${rounds} kills in all)`,
    { timeout: 900_000 },
    async (_, size) => {
      const dir = await newDir();
      try {
        const known = new Map<string, number>();
        const next: number[] = Array(16).fill(0);
        for (let round = 0; round < rounds / 2; round++) {
          // Where a kill falls within a commit is left to chance; how many there were before it is spread evenly.
          const acks = await appendUntilKilled(dir, size, next, 1 + ((round * 97) % 400));
          for (const [key, first] of acks) {
            expect(known.get(key) ?? first).toBe(first);
            known.set(key, first);
            const [producer, seq] = key.split('.').map(Number);
            // The last one that was heard of is sent again, as one that was never heard of would be.
            next[producer!] = Math.max(next[producer!]!, seq!);
          }
        }
        const told: Damage[] = [];
        const log = await openStore(dir, size, told);
        expect(told).toEqual([]);
        const found = new Map<string, number>();
        for (const threadId of ['t0', 't1', 't2', 't3']) {
          let after = 0;
          for (let page = await log.read(threadId, 0); page.blocks.length > 0; page = await log.read(threadId, after)) {
            expect(page.head.epochs).toHaveLength(1);
            for (const block of page.blocks) {
              expect(block.first).toBe(after + 1);
              after = block.last;
              for (const { seq, data } of block.events()) {
                const [key] = String((data as { value: unknown }).value).split(' ');
                expect(found.has(key!), `${key} is there once`).toBe(false);
                found.set(key!, seq);
              }
            }
          }
        }
        for (const [key, first] of known) expect(found.get(key), `acknowledged ${key}`).toBe(first);
        await log.close();
      } finally {
        await rm(dir, { recursive: true });
      }
    },
  );
});
