import { readdirSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { crc32c } from './crc32c.ts';
import { newDir } from './place.fixture.ts';
import { disarmTable } from './table-file.ts';

describe("LevelDB's tables", () => {
  let dir: string;
  let path: string;
  let bytes: Buffer;

  /** One table with compressed and uncompressed blocks. */
  beforeEach(async () => {
    dir = await newDir();
    let level = new ClassicLevel(dir);
    for (let i = 0; i < 500; i++) {
      const noise = Array.from({ length: 60 }, (_, j) => crc32c(Buffer.from(`${i} ${j}`)).toString(36));
      await level.put(`key ${i}`, i % 2 ? noise.join('') : 'again and '.repeat(50));
    }
    await level.close();
    // What is in its log goes into a table when LevelDB opens.
    level = new ClassicLevel(dir);
    await level.open();
    await level.close();
    path = join(dir, readdirSync(dir).find((name) => name.endsWith('.ldb'))!);
    bytes = await readFile(path);
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('are sound as LevelDB wrote them', async () => {
    expect(await disarmTable(path, 'all')).toBe('sound');
    expect(await disarmTable(path, 'frame')).toBe('sound');
    expect(await readFile(path)).toEqual(bytes);
  });

  it('may be unfinished where a process was killed: no reason to suspect the others', async () => {
    for (const length of [0, 20, 1000, bytes.length - 1]) {
      await writeFile(path, bytes.subarray(0, length));
      expect(await disarmTable(path, 'all')).toBe('sound');
    }
  });

  it('are not, whichever bit flips; LevelDB then errs, and neither aborts nor gives anything wrong', async () => {
    for (let i = 0; i < 120; i++) {
      const bit = (i * 7919 * 31) % (bytes.length * 8);
      // The footer is padded with bytes that say nothing.
      if (bit >> 3 >= bytes.length - 48) continue;
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      await writeFile(path, flipped);
      const state = await disarmTable(path, 'all');
      expect(state, `bit ${bit}`).not.toBe('sound');
      const level = new ClassicLevel(dir);
      for (let key = 0; key < 500; key += 20) {
        const value = await level.get(`key ${key}`).catch(() => 'an error');
        if (value !== 'an error') expect(value).toBe('again and '.repeat(50));
        if (state === 'filter') expect(value).toBe('again and '.repeat(50));
      }
      await level.close();
    }
  });
});

it('crc32c is Castagnoli (RFC 3720, B.4)', () => {
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
});
