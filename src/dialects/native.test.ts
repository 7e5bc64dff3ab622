import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeBlocks } from '../log/index.ts';
import { openMemory } from '../log/memory.ts';
import { type Block, encodeEvent } from '../protocol/index.ts';
import { native, type Selection } from './index.ts';

const NO_LIMIT = Number.POSITIVE_INFINITY;
const FROM_START = { begin: 0, after: 0, prev: 0 };
const TYPES = ['custom', 'tool.called', 'tool.args.delta', 'message.delta', 'tooling.used', 'run.completed'];

/** Blocks of one event each, of runs `a` and `b` in turn. */
async function blocksOf(types: readonly string[]): Promise<readonly Block[]> {
  const log = openMemory();
  const context = { threadId: 't', time: '2026-11-20T18:00:00.000Z' };
  const blocks: Block[] = [];
  await log.follow('t', ({ block }) => void blocks.push(block!));
  for (const [i, type] of types.entries()) {
    const runId = `${i % 2 ? 'b' : 'a'}${type === 'run.completed' ? i : ''}`;
    const event = encodeEvent({ type, data: { text: 'é\u2028\n'.repeat(i % 3), delta: 'x' } }, { ...context, runId });
    const opens = !(await log.runs.get(runId)) && { opens: { agent: 'a', createdAt: context.time } };
    await log.append('t', [event], { runId, ...opens, ...(type === 'run.completed' && { closes: true }) });
  }
  return blocks;
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function encodeAll(blocks: readonly Block[], selection: Selection, limit = NO_LIMIT): string {
  const encoder = native.encoder(selection, FROM_START);
  let all = '';
  for (const block of blocks) {
    for (;;) {
      const chunk = encoder.encode(block, limit);
      all += text(chunk.bytes);
      if (chunk.ended) return all;
      if (encoder.after >= block.last) break;
    }
  }
  return all;
}

describe('the native dialect (P5)', () => {
  test('sends a whole thread as the stored bytes, not copied', async () => {
    const block = mergeBlocks(await blocksOf(TYPES));
    expect(native.encoder({}, FROM_START).encode(block, NO_LIMIT).bytes).toBe(block.bytes);
    const rest = native.encoder({}, { begin: 0, after: 2, prev: 2 }).encode(block, NO_LIMIT);
    expect(rest.bytes.buffer).toBe(block.bytes.buffer);
    expect(text(rest.bytes)).toBe(text(block.bytes.subarray(block.entry(2).end)));
  });

  test('sends a run that has its thread to itself as the stored bytes, not copied', async () => {
    const block = mergeBlocks((await blocksOf(['custom', 'custom'])).slice(0, 1));
    expect(native.encoder({ runId: 'a' }, FROM_START).encode(block, NO_LIMIT).bytes).toBe(block.bytes);
  });

  test('says `prev` behind `seq` exactly where numbers jump, and is byte for byte the stored frame else', async () => {
    const blocks = await blocksOf(['custom', 'custom', 'tool.called', 'tool.args.delta', 'custom', 'tool.called']);
    const frames = encodeAll(blocks, { types: ['tool.*'] }).split(/(?<=\n\n)/);
    const stored = (seq: number) => text(blocks[seq - 1]!.bytes);
    expect(frames).toEqual([
      stored(3).replace('{"seq":3,', '{"seq":3,"prev":0,'),
      stored(4),
      stored(6).replace('{"seq":6,', '{"seq":6,"prev":4,'),
    ]);
  });

  test('says `prev` also where only the beginning of a whole thread is left out', async () => {
    const blocks = await blocksOf(TYPES);
    const { bytes } = native.encoder({}, { begin: 2, after: 2, prev: 1 }).encode(mergeBlocks(blocks), NO_LIMIT);
    expect(text(bytes).match(/"seq":\d+,("prev":\d+)?/g)).toEqual([
      '"seq":3,"prev":1',
      '"seq":4,',
      '"seq":5,',
      '"seq":6,',
    ]);
  });

  test('leaves out the `event:` line and nothing else with asMessages', async () => {
    const blocks = await blocksOf(TYPES);
    const named = encodeAll(blocks, { types: ['tool.*'] });
    expect(encodeAll(blocks, { types: ['tool.*'], asMessages: true })).toBe(named.replace(/^event: .*\n/gm, ''));
    expect(named).toMatch(/^event: tool\.called$/m);
  });

  test('lets terminal events pass every filter, groups take what is below their dot, and a run ends with its own end', async () => {
    const blocks = await blocksOf(TYPES);
    const types = (selection: Selection) =>
      [...encodeAll(blocks, selection).matchAll(/^event: (.*)$/gm)].map(([, type]) => type);
    expect(types({ types: ['nothing'] })).toEqual(['run.completed']);
    expect(types({ types: ['tool.*'] })).toEqual(['tool.called', 'tool.args.delta', 'run.completed']);
    expect(types({ types: ['tool.args.*', 'custom'] })).toEqual(['custom', 'tool.args.delta', 'run.completed']);
    expect(types({ types: ['tool.args'] })).toEqual(['run.completed']);
    expect(types({ runId: 'a', types: ['custom'] })).toEqual(['custom']);
    const last = native.encoder({ runId: 'b5' }, { begin: 5, after: 5, prev: 5 }).encode(blocks[5]!, NO_LIMIT);
    expect(last).toMatchObject({ ended: true, lastId: 6 });
    expect(native.encoder({}, FROM_START).encode(mergeBlocks(blocks), NO_LIMIT).ended).toBe(false);
  });

  test('refuses to go on over a hole', async () => {
    const blocks = await blocksOf(['custom', 'custom', 'custom']);
    const encoder = native.encoder({}, FROM_START);
    encoder.encode(blocks[0]!, NO_LIMIT);
    expect(() => encoder.encode(blocks[2]!, NO_LIMIT)).toThrow(RangeError);
    expect(encoder.encode(blocks[0]!, NO_LIMIT).bytes).toHaveLength(0);
  });

  test('makes the same bytes however the log is cut into blocks and whatever the limit, and stays within it', async () => {
    const selection = fc.record(
      {
        runId: fc.constantFrom('a', 'b'),
        types: fc.uniqueArray(fc.constantFrom('tool.*', 'custom', 'message.delta', 'none'), { minLength: 1 }),
        asMessages: fc.boolean(),
      },
      { requiredKeys: [] },
    );
    const cuts = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...TYPES), { minLength: 1, maxLength: 12 }),
        selection,
        cuts,
        fc.integer({ min: 1, max: 800 }),
        async (types, chosen, sizes, limit) => {
          const blocks = await blocksOf(types);
          const merged: Block[] = [];
          for (let from = 0, i = 0; from < blocks.length; i++) {
            const size = sizes[i % sizes.length]!;
            merged.push(mergeBlocks(blocks.slice(from, from + size)));
            from += size;
          }
          expect(encodeAll(merged, chosen, limit)).toBe(encodeAll(blocks, chosen));
          const chunk = native.encoder(chosen, FROM_START).encode(mergeBlocks(blocks), limit);
          const frames = text(chunk.bytes).split('\n\n').length - 1;
          // `prev` is not counted; it is at most 12 bytes here.
          if (frames > 1) expect(chunk.bytes.length).toBeLessThanOrEqual(limit + 12 * frames);
        },
      ),
      { numRuns: 200 },
    );
  });
});
