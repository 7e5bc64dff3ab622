import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClassicLevel } from 'classic-level';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeEvent } from '../../protocol/index.ts';
import type { AppendOptions, Log } from '../index.ts';
import { Archive } from './archive.ts';
import { FORMAT_VERSION } from './commit-codec.ts';
import type { Damage } from './damage.ts';
import { blocksOf, threadKey } from './keys.ts';
import { newDir, openStore } from './place.fixture.ts';

const TIME = '2026-11-20T18:00:00.000Z';
const OPENS = { agent: 'a', createdAt: TIME };
/** Random, so that Snappy writes it as it is. */
const needle = (): string => randomBytes(24).toString('base64url');

const say = (log: Log, runId: string, type: string, value: string, options: Partial<AppendOptions> = {}) =>
  log.append('t', [encodeEvent({ type, data: { agent: 'a', value } }, { threadId: 't', runId, time: TIME })], {
    runId,
    ...options,
  });

/** The runs `gone` and `kept` take turns in a thread; the first has ended. All that it said. */
async function interleaved(log: () => Log, rounds: number, between: (round: number) => unknown = () => {}) {
  const said = [needle()];
  await say(log(), 'gone', 'run.started', said[0]!, { opens: OPENS });
  await say(log(), 'kept', 'run.started', needle(), { opens: OPENS });
  for (let seq = 0; seq < rounds; seq++) {
    const [value, digest, end] = [needle(), needle(), needle()];
    said.push(value, digest, end);
    await say(log(), 'gone', 'custom.said', value, { producer: { id: 'p', epoch: 0, seq, digest } });
    await say(log(), 'kept', 'custom.said', needle(), { producer: { id: 'p', epoch: 0, seq, digest: '' } });
    await between(seq);
    if (seq === rounds - 1) await say(log(), 'gone', 'run.completed', end, { closes: true });
  }
  return said;
}

/** The files that hold one of these texts, and which. */
async function filesWith(dir: string, texts: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const { name, parentPath } of (await readdir(dir, { recursive: true, withFileTypes: true })).filter((it) =>
    it.isFile(),
  )) {
    const bytes = await readFile(join(parentPath, name)).catch(() => Buffer.alloc(0));
    if (texts.some((text) => bytes.includes(text))) found.push(name);
  }
  return found;
}

/** Everything that the thread holds, to its end. */
async function textOf(log: Log): Promise<string> {
  let text = '';
  for (let after = 0; ; ) {
    const { blocks } = await log.read('t', after, Number.POSITIVE_INFINITY);
    if (blocks.length === 0) return text;
    for (const { bytes } of blocks) text += new TextDecoder().decode(bytes);
    after = blocks.at(-1)!.last;
  }
}

describe('a run that was erased', () => {
  let dir: string;
  let log: Log;
  beforeEach(async () => {
    dir = await newDir();
  });
  afterEach(async () => {
    await log.close();
    await rm(dir, { recursive: true });
  });

  const reopen = (segmentBytes: number) => async () => {
    await log.close();
    log = await openStore(dir, segmentBytes);
  };

  it.each<[string, number, (round: number) => unknown]>([
    ['all of it in the journal', 16 * 1024 * 1024, () => {}],
    ['moved into the archive after every commit', 1, () => {}],
    ['in small blocks that were repacked', 4096, () => {}],
    ['partly in the archive', 16 * 1024 * 1024, async (round) => round === 20 && reopen(16 * 1024 * 1024)()],
    ['written over many restarts', 2048, async (round) => round % 8 === 0 && reopen(2048)()],
  ])('P8: is in no file any more, %s', async (_, segmentBytes, between) => {
    log = await openStore(dir, segmentBytes);
    const said = await interleaved(() => log, 40, between);
    expect(await filesWith(dir, said)).not.toEqual([]);
    const kept = (await textOf(log)).split('\n\n').filter((frame) => frame.includes('"runId":"kept"'));
    await log.retention.erase('gone');
    expect(await filesWith(dir, said)).toEqual([]);
    expect((await textOf(log)).split('\n\n').slice(0, -1)).toEqual(kept);
    await reopen(segmentBytes)();
    expect(await filesWith(dir, said)).toEqual([]);
    expect((await textOf(log)).split('\n\n').slice(0, -1)).toEqual(kept);
  });

  it('P8: is in no file any more, in a thread too large for one write', async () => {
    log = await openStore(dir, 1024 * 1024);
    const said: string[] = [];
    const large = 'x'.repeat(200_000);
    for (const runId of ['gone', 'kept']) await say(log, runId, 'run.started', '', { opens: OPENS });
    for (let i = 0; i < 50; i++) {
      said.push(needle());
      await say(log, 'gone', 'custom.said', said[i]!);
      await say(log, 'kept', 'custom.said', large + i);
    }
    await say(log, 'gone', 'run.completed', '', { closes: true });
    await reopen(1024 * 1024)();
    await log.retention.erase('gone');
    expect(await filesWith(dir, said)).toEqual([]);
    const { blocks } = await log.read('t', 0, Number.POSITIVE_INFINITY);
    const values = blocks.flatMap((block) => [...block.events()]).map(({ data }) => (data as { value: string }).value);
    expect(values.slice(1)).toEqual(Array.from({ length: 50 }, (_, i) => large + i));
  });

  it('P8: is in no file any more though others read and append all the time', async () => {
    log = await openStore(dir, 4096);
    const said = await interleaved(() => log, 60);
    let busy = true;
    const reader = async () => {
      while (busy) {
        await textOf(log);
        await log.runs.list({ limit: 10 });
      }
    };
    let appended = 0;
    const appender = async () => {
      for (; busy; appended++) await say(log, 'kept', 'custom.said', needle());
    };
    const others = [reader(), reader(), appender()];
    await log.retention.erase('gone');
    expect(await filesWith(dir, said)).toEqual([]);
    busy = false;
    await Promise.all(others);
    expect(appended).toBeGreaterThan(0);
    expect((await log.head('t'))?.last).toBe(123 + appended);
  });

  const kills = process.env.TELLTALE_LONG ? 100 : 6;
  it(`P8: is there or gone, and never half, whenever the process is killed; erasing it again finishes (${kills} kills)`, async () => {
    const living = join(dir, 'living');
    log = await openStore(living, 4096);
    const said = await interleaved(() => log, 40);
    const before = await textOf(log);
    await log.close();
    const kept = before.split(/(?<=\n\n)/).filter((frame) => frame.includes('"runId":"kept"'));
    let erased = 0;
    for (let kill = 0; kill < kills; kill++) {
      const at = join(dir, `kill-${kill}`);
      await cp(living, at, { recursive: true });
      // The whole takes some 30 ms: the kills are spread over them.
      await eraseAndKill(at, (kill * 40) / kills);
      const told: Damage[] = [];
      log = await openStore(at, 4096, told);
      const text = await textOf(log);
      const gone = text !== before;
      if (gone) {
        erased++;
        expect(text).toBe(kept.join(''));
        await expect(log.runs.get('gone')).rejects.toMatchObject({ code: 'run_deleted' });
      } else expect((await log.runs.get('gone'))?.status).toBe('completed');
      await log.retention.erase('gone');
      expect(await filesWith(at, said)).toEqual([]);
      expect(await textOf(log)).toBe(kept.join(''));
      expect(told).toEqual([]);
      await log.close();
    }
    expect(erased).toBeGreaterThan(0);
  }, 600_000);

  describe('of which a block is damaged', () => {
    let said: readonly string[];
    const told: Damage[] = [];
    beforeEach(async () => {
      log = await openStore(dir, 1);
      // Large blocks in between are not repacked, so that what is before the damaged one survives it.
      said = await interleaved(
        () => log,
        10,
        () => say(log, 'kept', 'custom.said', 'x'.repeat(70_000)),
      );
      await log.close();
      const level = new ClassicLevel<string, Buffer>(join(dir, 'index'), { valueEncoding: 'buffer' });
      const [key] = (await level.keys({ gt: `${blocksOf('t')}${'0'.repeat(15)}9`, limit: 1 }).all()) as [string];
      const value = (await level.get(key))!;
      value[value.length - 20]! ^= 1;
      await level.put(key, value);
      await level.close();
      told.length = 0;
      log = await openStore(dir, 1, told);
      expect(told).toEqual([]);
    });

    const isGone = async () => {
      await expect(log.runs.get('gone')).rejects.toMatchObject({ code: 'run_deleted' });
      const again = say(log, 'gone', 'run.started', '', { opens: OPENS });
      await expect(again).rejects.toMatchObject({ code: 'run_deleted' });
    };

    it('P8: goes together with that block, which readers then find missing', async () => {
      await log.retention.erase('gone');
      expect(await filesWith(dir, said)).toEqual([]);
      expect(told).toEqual([]);
      expect(await textOf(log)).not.toContain('"runId":"gone"');
      expect((await log.head('t'))?.epochs).toHaveLength(2);
      expect(told.map(({ where }) => where)).toContain('thread t');
      await isGone();
      await log.retention.erase('gone');
    });

    it('P8: leaves its tombstone although nothing else of its thread survives', async () => {
      await log.retention.erase('gone');
      await log.close();
      const level = new ClassicLevel<string, Buffer>(join(dir, 'index'), { valueEncoding: 'buffer' });
      const record = [[threadKey('t'), (await level.get(threadKey('t')))!] as const];
      const blocks = await level.iterator({ gt: blocksOf('t'), lt: `${blocksOf('t')}~` }).all();
      for (const [key, value] of [...record, ...blocks]) {
        value[value.length - 20]! ^= 1;
        await level.put(key, value);
      }
      await level.close();
      log = await openStore(dir, 1, told);
      await log.read('t', 0).catch(() => {});
      await isGone();
    });

    it('P8: goes together with what was set aside of its thread; files set aside whole are left to people', async () => {
      await textOf(log);
      expect(told.map(({ where }) => where)).toContain('thread t');
      await log.retention.erase('gone');
      await isGone();
      await rm(join(dir, 'index.damaged'), { recursive: true });
      expect(await filesWith(dir, said)).toEqual([]);
    });
  });
});

describe("the archive's files", () => {
  const MARKER = { version: FORMAT_VERSION, incarnations: ['i'], segment: 1, commit: 0 };
  let dir: string;
  let archive: Archive;
  beforeEach(async () => {
    dir = await newDir();
    archive = await Archive.open(dir);
  });
  afterEach(async () => {
    await archive.close();
    await rm(dir, { recursive: true });
  });

  it('lose what was overwritten, once the reads that may still see it are over', async () => {
    const text = needle();
    await archive.write([{ type: 'put', key: 'b!t!5', value: Buffer.from(text) }], MARKER);
    const read = archive.entries('b!', 'b!~');
    await read.next();
    await archive.write([{ type: 'put', key: 'b!t!5', value: Buffer.from('else') }], MARKER);
    let purged = false;
    const purge = archive.purge([['b!t!4', 'b!t!6']]).then(() => {
      purged = true;
    });
    for (let i = 0; i < 100; i++) await archive.write([{ type: 'put', key: 'b!u!1', value: randomBytes(9) }], MARKER);
    expect(purged).toBe(false);
    await read.return(undefined);
    await purge;
    expect(await filesWith(dir, [text])).toEqual([]);
  });
});

const ERASER = new URL('./eraser.fixture.ts', import.meta.url).pathname;

/** Has another process erase the run `gone`, and kills it after so many milliseconds of that. */
async function eraseAndKill(dir: string, milliseconds: number): Promise<void> {
  const child = spawn(process.execPath, [ERASER, dir, '4096', 'gone'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    if (line !== 'erasing') continue;
    // Not to wait for anything: the moment is what is varied.
    await sleep(milliseconds);
    child.kill('SIGKILL');
  }
  await exited;
}
