import { rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { appendAndKill, type Numbers, readAppended } from './appended.fixture.ts';
import type { Damage } from './damage.ts';
import { newDir, openStore } from './place.fixture.ts';

describe('a process that is killed while it appends', () => {
  const kills = process.env.TELLTALE_LONG ? 100 : 13;
  it.each([
    ['with everything in the journal', 16 * 1024 * 1024],
    ['while it moves segments into the archive', 16 * 1024],
  ])(
    `P1: loses nothing it acknowledged and repeats nothing, %s (${kills} kills)`,
    {
      timeout: 900_000,
    },
    async (_, segmentBytes) => {
      const dir = await newDir();
      const known: Numbers = new Map();
      const next: number[] = Array(16).fill(0);
      for (let kill = 0; kill < kills; kill++) {
        // Where a kill falls within a commit is left to chance; how many there were before it is spread evenly.
        const acks = await appendAndKill(dir, segmentBytes, next, 1 + ((kill * 97) % 400));
        for (const [key, first] of acks) {
          expect(known.get(key) ?? first).toBe(first);
          known.set(key, first);
          const [producer, seq] = key.split('.').map(Number);
          // The last one that was heard of is sent again, as one that was never heard of would be.
          next[producer!] = Math.max(next[producer!]!, seq!);
        }
      }
      const told: Damage[] = [];
      const log = await openStore(dir, segmentBytes, told);
      const found = await readAppended(log);
      for (const [key, first] of known) expect(found.get(key), `acknowledged ${key}`).toBe(first);
      expect(told).toEqual([]);
      await log.close();
      await rm(dir, { recursive: true });
    },
  );
});
