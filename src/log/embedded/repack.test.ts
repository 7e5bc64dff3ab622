import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeEvent } from '../../protocol/index.ts';
import type { AppendOptions, Log } from '../index.ts';
import { Archive } from './archive.ts';
import { after, blocksOf, producersOf, SMALL } from './keys.ts';
import { newDir, openStore, place } from './place.fixture.ts';
import { unseal } from './sealed.ts';
import { decodeStoredBlock } from './stored.ts';

const TIME = '2026-11-20T18:00:00.000Z';
const SEGMENT = 8 * 1024;
const OPENS = { agent: 'a', createdAt: TIME };
const producer = (seq: number) => ({ id: 'p', epoch: 0, seq, digest: `d${seq}` });

const say = (log: Log, runId: string, type: string, options: Partial<AppendOptions> = {}, threadId = 't') =>
  log.append(
    threadId,
    [encodeEvent({ type, data: { agent: 'a', text: 'x'.repeat(300) } }, { threadId, runId, time: TIME })],
    {
      runId,
      ...options,
    },
  );

/** A run that says one thing per checkpoint: what another thread says fills the journal between. */
async function slowly(log: Log, rounds: number, runId = 'slow'): Promise<void> {
  await say(log, runId, 'run.started', { opens: OPENS, producer: producer(0) });
  await say(log, `${runId}-other`, 'run.started', { opens: OPENS }, `${runId}-other`);
  for (let round = 1; round <= rounds; round++) {
    await say(log, runId, 'custom.said', { producer: producer(round), once: `${runId} ${round}` });
    for (let i = 0; i < 20; i++) await say(log, `${runId}-other`, 'custom.said', {}, `${runId}-other`);
  }
}
const end = (log: Log, runId = 'slow') => say(log, runId, 'run.completed', { closes: true });

async function textOf(log: Log, threadId = 't', from = 0): Promise<string> {
  const { blocks } = await log.read(threadId, from, Number.POSITIVE_INFINITY);
  return blocks.map(({ bytes }) => new TextDecoder().decode(bytes)).join('');
}

/** The numbers of each block that a closed store has of a thread. */
async function storedBlocks(dir: string, threadId = 't'): Promise<[first: number, last: number][]> {
  const archive = await Archive.open(join(dir, 'index'));
  try {
    const blocks: [number, number][] = [];
    for await (const [key, value] of archive.entries(blocksOf(threadId), after(blocksOf(threadId)))) {
      const { first, last } = decodeStoredBlock(unseal(key, value)!);
      blocks.push([first, last]);
    }
    return blocks;
  } finally {
    await archive.close();
  }
}

describe('the blocks of a run that has ended', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await newDir();
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('become few, and every number leads to the same bytes as before', async () => {
    let log = await openStore(dir, SEGMENT);
    await slowly(log, 40);
    await log.close();
    const before = await storedBlocks(dir);
    expect(before.length).toBeGreaterThan(20);
    log = await openStore(dir, SEGMENT);
    const text = await textOf(log);
    await end(log);
    await log.close();
    expect(await storedBlocks(dir)).toEqual([[1, 42]]);
    log = await openStore(dir, SEGMENT);
    expect((await textOf(log)).startsWith(text)).toBe(true);
    for (const [, last] of before)
      expect(await textOf(log, 't', last)).toBe((await textOf(log)).slice(length(text, last)));
    await log.close();
  });

  it('stay apart where more than one block would be full, and those of a run that goes on stay as they are', async () => {
    const log = await openStore(dir, SEGMENT);
    const big = 'y'.repeat(25_000);
    await say(log, 'slow', 'run.started', { opens: OPENS });
    for (let i = 0; i < 9; i++) {
      const event = encodeEvent({ type: 'custom.said', data: { big } }, { threadId: 't', runId: 'slow', time: TIME });
      await log.append('t', [event], { runId: 'slow' });
    }
    await slowly(log, 4, 'going-on');
    await end(log);
    await log.close();
    const blocks = await storedBlocks(dir);
    expect(blocks.length).toBeGreaterThan(3);
    expect(blocks.length).toBeLessThan(8);
    expect(blocks.map(([first]) => first)).toEqual([1, ...blocks.slice(0, -1).map(([, last]) => last + 1)]);
  });

  it('do not bring back what was forgotten', async () => {
    let log = await openStore(dir, SEGMENT);
    await slowly(log, 20);
    await log.close();
    const blocks = await storedBlocks(dir);
    const [, through] = blocks[9]!;
    log = await openStore(dir, SEGMENT);
    await log.retention.trim('t', through);
    await end(log);
    await log.close();
    expect((await storedBlocks(dir))[0]![0]).toBe(through + 1);
  });

  it('hold all that is needed to rebuild the records of threads, runs, producers and decisions', async () => {
    let log = await openStore(dir, SEGMENT);
    await slowly(log, 20);
    await end(log);
    const [head, run] = [await log.head('t'), await log.runs.get('slow')];
    await log.close();
    expect(await storedBlocks(dir)).toHaveLength(1);
    const archive = await Archive.open(join(dir, 'index'));
    const keys: string[] = [];
    for (const prefix of [SMALL, producersOf('slow')])
      for await (const key of archive.keys(prefix, after(prefix))) keys.push(key);
    await archive.write(
      keys.map((key) => ({ type: 'del', key })),
      archive.marker!,
      archive.marker!.small,
    );
    await archive.close();
    log = await openStore(dir, SEGMENT);
    expect(await log.runs.get('slow')).toEqual(run);
    expect((await log.head('t'))!.last).toBe(head!.last);
    expect(await say(log, 'slow', 'custom.said', { producer: producer(3) })).toMatchObject({
      first: 4,
      duplicate: true,
    });
    const again = say(log, 'new', 'run.started', { opens: OPENS, once: 'slow 5' });
    await expect(again).rejects.toMatchObject({ code: 'already_decided', particulars: { seq: 6 } });
    await log.close();
  });

  it('are there whatever moment the process is killed at', async () => {
    for (let turns = 0; turns < 8; turns++) {
      const store = await place(SEGMENT);
      try {
        const log = await store.open();
        await slowly(log, 10);
        await end(log);
        const text = await textOf(log);
        // Fills the journal once more: the checkpoint that repacks begins, and the kill comes somewhere in it.
        for (let i = 0; i < 20; i++) await say(log, 'slow-other', 'custom.said', {}, 'slow-other');
        for (let i = 0; i < turns; i++) await turn();
        await store.crash(log);
        const next = await store.open();
        expect(await textOf(next)).toBe(text);
        await next.close();
      } finally {
        await store.remove();
      }
    }
  });
});

/** Where in the frames of a thread, each ending in a blank line, event `seq` ends. */
function length(text: string, seq: number): number {
  let at = 0;
  for (let i = 0; i < seq; i++) at = text.indexOf('\n\n', at) + 2;
  return at;
}
