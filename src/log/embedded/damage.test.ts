import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Block, encodeEvent, type Head, isEnded, locate } from '../../protocol/index.ts';
import type { Log, RunRecord } from '../index.ts';
import type { Damage } from './damage.ts';
import { listSegments, segmentPath } from './files.ts';
import { newDir, openStore } from './place.fixture.ts';

const THREADS = ['t0', 't1', 't2', 't3'];
const SEGMENT = 24 * 1024;

/** What was acknowledged: every frame, and every run as it was at the end. */
interface Acknowledged {
  readonly frames: Map<string, string>;
  readonly heads: Map<string, Head>;
  readonly runs: Map<string, RunRecord>;
}

let dir: string;
let acknowledged: Acknowledged;

/** Four threads with some runs each, most of it in the archive, the last of it in two journal segments' worth. */
beforeAll(async () => {
  dir = await newDir();
  const living = join(dir, 'living');
  let log = await openStore(living, SEGMENT);
  for (let round = 0; round < 12; round++) {
    await Promise.all(THREADS.map((threadId) => oneRun(log, threadId, `${threadId}-run${round}`)));
    if (round !== 5) continue;
    // What LevelDB finds in its log when it opens goes into a table: both kinds of file hold something now.
    await log.close();
    log = await openStore(living, SEGMENT);
  }
  const { frames } = await everything(log);
  await log.retention.trim('t3', 40);
  for (const threadId of THREADS) await oneRun(log, threadId, `${threadId}-last`);
  const { frames: later, heads, runs } = await everything(log);
  acknowledged = { frames: new Map([...frames, ...later]), heads, runs };
  cpSync(living, join(dir, 'original'), { recursive: true });
  await log.close();
});

afterAll(() => rmSync(dir, { recursive: true }));

async function oneRun(log: Log, threadId: string, runId: string): Promise<void> {
  const event = (type: string, data: object) =>
    encodeEvent({ type, data: { ...data } }, { threadId, runId, time: '2026-11-20T18:00:00.000Z' });
  const opens = { agent: 'a', owner: 'o', createdAt: '2026-11-20T18:00:00.000Z' };
  await log.append(threadId, [event('run.started', { agent: 'a' })], { runId, opens });
  for (let seq = 0; seq < 8; seq++) {
    const batch = [event('custom', { name: 'n', value: `${runId} ${'z'.repeat(seq * 40)}` })];
    await log.append(threadId, batch, { runId, producer: { id: 'p', epoch: 0, seq, digest: `d${seq}` } });
  }
  if (runId.endsWith('run3')) return;
  await log.append(threadId, [event('run.completed', {})], { runId, closes: true, once: `end:${runId}` });
}

async function everything(log: Log): Promise<Acknowledged> {
  const frames = new Map<string, string>();
  const heads = new Map<string, Head>();
  for (const threadId of THREADS) {
    const { head, blocks } = await readAll(log, threadId);
    if (head) heads.set(threadId, head);
    for (const block of blocks) {
      for (const [i, { start, end }] of block.entries.entries()) {
        const frame = Buffer.from(block.bytes.subarray(start, end)).toString();
        frames.set(`${threadId} ${block.epoch}.${block.first + i}`, frame);
      }
    }
  }
  const { runs } = await log.runs.list({ limit: 1000 });
  return { frames, heads, runs: new Map(runs.map((run) => [run.runId, run])) };
}

/** The whole of a thread, each block checked to join on to the one before. */
async function readAll(log: Log, threadId: string): Promise<{ head: Head | undefined; blocks: Block[] }> {
  let head = await log.head(threadId);
  if (!head) return { head, blocks: [] };
  const blocks: Block[] = [];
  let after = head.first - 1;
  for (;;) {
    const page = await log.read(threadId, after, 4096);
    if (page.head.epoch !== head.epoch) {
      // Cut while it was read: what was read beyond the cut is void.
      head = page.head;
      blocks.length = 0;
      after = head.first - 1;
      continue;
    }
    head = page.head;
    if (page.blocks.length === 0) return { head, blocks };
    for (const block of page.blocks) {
      expect(block.first).toBe(after + 1);
      after = block.last;
      blocks.push(block);
    }
  }
}

/** Opens a damaged directory, twice, and holds it to its promises. Gives what was told. */
async function holdsUp(damaged: string): Promise<Damage[]> {
  const told: Damage[] = [];
  let before: [string, string][] | undefined;
  for (const opening of ['first', 'second'] as const) {
    const log = await openStore(damaged, SEGMENT, told);
    try {
      const found = await everything(log);
      for (const threadId of THREADS) checkThread(threadId, found, told);
      await checkRuns(log, found, told);
      const frames = [...found.frames].filter(([, frame]) => !frame.includes('"code":"log_damaged"'));
      if (before) expect(frames, opening).toEqual(before);
      before = frames;
    } finally {
      await log.close();
    }
  }
  return told;
}

function checkThread(threadId: string, found: Acknowledged, told: readonly Damage[]): void {
  const was = acknowledged.heads.get(threadId)!;
  const head = found.heads.get(threadId);
  if (!head) {
    expect(told).not.toEqual([]);
    return;
  }
  const position = locate({ epoch: was.epoch, seq: was.last }, head);
  const shared = position.reset ? position.reset.shared : was.last;
  if (shared < was.last) expect(told).not.toEqual([]);
  for (let seq = Math.max(was.first, head.first); seq <= shared; seq++) {
    expect(found.frames.get(`${threadId} ${was.epoch}.${seq}`)).toBe(
      acknowledged.frames.get(`${threadId} ${was.epoch}.${seq}`),
    );
  }
  // A trim may be lost with what came after it; events before the first lost one are not.
  if (head.first !== was.first) expect(told).not.toEqual([]);
  expect(head.first).toBeLessThanOrEqual(was.first);
  for (const [at, frame] of found.frames) {
    if (!at.startsWith(`${threadId} `)) continue;
    if (at.startsWith(`${threadId} ${was.epoch}.`)) expect(frame).toBe(acknowledged.frames.get(at));
    else expect(frame).toContain('"code":"log_damaged"');
  }
}

async function checkRuns(log: Log, found: Acknowledged, told: readonly Damage[]): Promise<void> {
  for (const [runId, was] of acknowledged.runs) {
    const run = await log.runs.get(runId);
    const head = found.heads.get(was.threadId);
    if (run) {
      expect(found.runs.has(runId), `${runId} is listed`).toBe(true);
      expect([run.owner, run.agent, run.first]).toEqual([was.owner, was.agent, was.first]);
      expect(run.first).toBeLessThanOrEqual(head?.last ?? 0);
    }
    if (JSON.stringify(run) === JSON.stringify(was)) continue;
    expect(told).not.toEqual([]);
    // Of a thread that is whole, every run is whole.
    if (head?.epoch === acknowledged.heads.get(was.threadId)!.epoch) expect(run).toEqual(was);
  }
  for (const runId of found.runs.keys()) expect(acknowledged.runs.has(runId)).toBe(true);
}

/** A copy of the original for one test to break. */
async function broken(breakIt: (copy: string) => void): Promise<Damage[]> {
  const copy = join(dir, 'copy');
  cpSync(join(dir, 'original'), copy, { recursive: true });
  try {
    breakIt(copy);
    return await holdsUp(copy);
  } finally {
    rmSync(copy, { recursive: true });
  }
}

function files(of: string): string[] {
  return ['journal', 'index'].flatMap((name) => readdirSync(join(of, name)).map((file) => join(of, name, file)));
}

/** Numbers from 0 to below 1, the same for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('a damaged store', () => {
  it('serves all of it while nothing is damaged, and tells of nothing', async () => {
    expect(await broken(() => {})).toEqual([]);
    expect(acknowledged.frames.size).toBeGreaterThan(400);
    const endings = new Set(files(join(dir, 'original')).map((name) => name.slice(-4)));
    expect([...endings]).toEqual(expect.arrayContaining(['.log', '.ldb']));
  });

  const flips = process.env.TELLTALE_LONG ? 2000 : 150;
  it(`P4: serves nothing wrong and hides no loss, whichever bit of it flips (${flips} of them)`, {
    timeout: 600_000,
  }, async () => {
    const next = random(20261120);
    let harmless = 0;
    for (let i = 0; i < flips; i++) {
      const all = files(join(dir, 'original')).filter((file) => statSync(file).size > 0);
      const name = all[Math.floor(next() * all.length)]!.slice(join(dir, 'original').length);
      const size = statSync(join(dir, 'original', name)).size;
      const bit = Math.floor(next() * size * 8);
      const told = await broken((copy) => {
        const bytes = readFileSync(join(copy, name));
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        writeFileSync(join(copy, name), bytes);
      }).catch((cause: unknown) => {
        throw new Error(`bit ${bit} of ${name}`, { cause });
      });
      if (told.length === 0) harmless++;
    }
    // Locks, LevelDB's own log texts and what a compaction left over: most bits of the others matter.
    expect(harmless).toBeLessThan(flips * 0.8);
  });

  it('goes on without the commit that was being written, cut at any byte, and tells nothing of it', {
    timeout: 600_000,
  }, async () => {
    const journal = join(dir, 'original', 'journal');
    const [segment] = (await listSegments(journal)).slice(-1);
    const size = statSync(segmentPath(journal, segment!)).size;
    const commits = commitEnds(readFileSync(segmentPath(journal, segment!)));
    const from = commits[commits.length - 4] ?? 0;
    expect(commits.length).toBeGreaterThan(4);
    const served = [...acknowledged.heads.values()].reduce((sum, { first, last }) => sum + last - first + 1, 0);
    const step = process.env.TELLTALE_LONG ? 1 : 101;
    const cuts = Array.from({ length: Math.ceil((size - from) / step) }, (_, i) => from + i * step);
    for (const end of commits.slice(-4)) cuts.push(end - 1, end, end + 1, end + 23, end + 24, end + 25);
    for (const length of cuts.filter((cut) => cut <= size)) {
      const copy = join(dir, 'copy');
      cpSync(join(dir, 'original'), copy, { recursive: true });
      truncateSync(segmentPath(join(copy, 'journal'), segment!), length);
      const told: Damage[] = [];
      const log = await openStore(copy, SEGMENT, told);
      const found = await everything(log);
      await log.close();
      rmSync(copy, { recursive: true });
      expect(told).toEqual([]);
      for (const [at, frame] of found.frames) expect(frame).toBe(acknowledged.frames.get(at));
      const whole = commits.filter((end) => end <= length).length;
      expect(found.frames.size).toBe(served - (commits.length - whole));
    }
  });

  it('takes zeros at the end of the journal for a write that never finished', async () => {
    const told = await broken((copy) => {
      const names = readdirSync(join(copy, 'journal')).sort();
      appendFileSync(join(copy, 'journal', names[names.length - 1]!), Buffer.alloc(5000));
    });
    expect(told).toEqual([]);
  });

  it.each(['journal', 'index'])('tells that its %s directory is gone', async (name) => {
    const told = await broken((copy) => {
      rmSync(join(copy, name), { recursive: true });
      mkdirSync(join(copy, name));
    });
    expect(told).not.toEqual([]);
  });

  it.each(['CURRENT', 'MANIFEST'])('saves what it can when the index lost its %s', async (name) => {
    const told = await broken((copy) => {
      for (const file of readdirSync(join(copy, 'index'))) if (file.startsWith(name)) rmSync(join(copy, 'index', file));
    });
    expect(told).not.toEqual([]);
  });

  // What the checks of files cannot see: LevelDB holds, without any damage of its own, what it should not.
  const wrongs: Record<string, (level: ClassicLevel<string, Buffer>) => Promise<void>> = {
    'a changed block': (level) => changeValue(level, 'b!t1!'),
    'no block': async (level) => level.del(await firstKey(level, 'b!t1!')),
    'a changed record of a thread': (level) => changeValue(level, 's!t!t1'),
    'no record of a thread': (level) => level.del('s!t!t1'),
    'no record of a run': (level) => level.del('s!r!t1-run2'),
    'a run in no list': async (level) => level.del(await firstKey(level, 's!l!time!')),
    'no once key': async (level) => level.del(await firstKey(level, 's!o!t1!')),
    'an older record of a run': async (level) => {
      const record = await level.get('s!r!t1-run2');
      await level.put('s!r!t1-run3', record!);
    },
    'no marker': (level) => level.del('m'),
    'a changed marker': (level) => changeValue(level, 'm'),
  };
  it.each(Object.entries(wrongs))('tells of %s in the index', async (_, wrong) => {
    const copy = join(dir, 'copy');
    cpSync(join(dir, 'original'), copy, { recursive: true });
    const level = new ClassicLevel<string, Buffer>(join(copy, 'index'), { valueEncoding: 'buffer' });
    await level.open();
    await wrong(level);
    await level.close();
    try {
      expect(await holdsUp(copy)).not.toEqual([]);
    } finally {
      rmSync(copy, { recursive: true });
    }
  });

  it('says what to move away when nothing helps', async () => {
    const copy = join(dir, 'copy');
    mkdirSync(copy);
    writeFileSync(join(copy, 'index'), 'not a directory');
    const refusal = openStore(copy, SEGMENT);
    await expect(refusal).rejects.toMatchObject({ code: 'store_damaged', particulars: { dir: join(copy, 'index') } });
    rmSync(copy, { recursive: true });
  });

  it('ends a run again whose end was lost', async () => {
    const copy = join(dir, 'copy');
    cpSync(join(dir, 'original'), copy, { recursive: true });
    const journal = join(copy, 'journal');
    const [segment] = (await listSegments(journal)).slice(-1);
    const bytes = readFileSync(segmentPath(journal, segment!));
    const ends = commitEnds(bytes);
    // An event in the middle of the last run; its end stands in a later commit.
    bytes[ends[ends.length - 5]! - 40]! ^= 1;
    writeFileSync(segmentPath(journal, segment!), bytes);
    const told: Damage[] = [];
    const log = await openStore(copy, SEGMENT, told);
    const run = await log.runs.get('t3-last');
    const { blocks } = await readAll(log, 't3');
    await log.close();
    rmSync(copy, { recursive: true });
    expect(told).not.toEqual([]);
    expect(run && isEnded(run.status)).toBe(true);
    const last = blocks[blocks.length - 1]!;
    expect(last.event(last.last)).toMatchObject({ type: 'run.failed', data: { error: { code: 'log_damaged' } } });
  });
});

/** Where the commits of a segment end; each holds one event here. */
function commitEnds(bytes: Buffer): number[] {
  const ends: number[] = [];
  for (let at = 32; at + 24 <= bytes.length; ) {
    at += 24 + bytes.readUInt32LE(at + 4);
    ends.push(at);
  }
  return ends;
}

async function firstKey(level: ClassicLevel<string, Buffer>, prefix: string): Promise<string> {
  const [key] = await level.keys({ gte: prefix, limit: 1 }).all();
  return key!;
}

async function changeValue(level: ClassicLevel<string, Buffer>, prefix: string): Promise<void> {
  const key = await firstKey(level, prefix);
  const value = Buffer.from((await level.get(key))!);
  // In the last frame of a block: a letter of what an event says.
  value[value.length - 20]! ^= 1;
  await level.put(key, value);
}
