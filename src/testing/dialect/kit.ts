/** Logs to speak of, and what a dialect says of them. */
import assert from 'node:assert/strict';
import type { Dialect, Place, Selection } from '../../dialects/index.ts';
import { buildBlock, mergeBlocks } from '../../log/index.ts';
import { type AgentRef, Block, type EncodedEvent, encodeEvent, VOID } from '../../protocol/index.ts';
import { parseFrame } from '../stream/kit.ts';

/** An event of a case: of run `r1` in thread `t1`, unless it says otherwise. */
export type DialectDraft = readonly [
  type: string,
  data?: Readonly<Record<string, unknown>>,
  about?: { readonly agent?: AgentRef; readonly runId?: string },
];

/** A frame as a case expects it; `data` is parsed where it is JSON. */
export interface SpokenFrame {
  readonly id: string;
  readonly event?: string;
  readonly data: unknown;
}

export const AT = '2026-11-20T18:00:00.000Z';
export const EPOCH = 'e1';
const OF_RUN: Selection = { runId: 'r1' };

export function encoded(drafts: readonly DialectDraft[]): readonly EncodedEvent[] {
  return drafts.map(([type, data = {}, { agent, runId = 'r1' } = {}]) =>
    encodeEvent({ type, data, ...(agent && { agent }) }, { threadId: 't1', runId, time: AT }),
  );
}

/** One block for each event, so that a test may cut a log as it likes. */
export const blocksOf = (drafts: readonly DialectDraft[]): readonly Block[] =>
  encoded(drafts).map((event, i) => buildBlock(EPOCH, i + 1, [event]));

/** Blocks of `size` events. */
export function cutInto(blocks: readonly Block[], size: number): readonly Block[] {
  const cut: Block[] = [];
  for (let from = 0; from < blocks.length; from += size) cut.push(mergeBlocks(blocks.slice(from, from + size)));
  return cut;
}

/** The same numbers, without a byte: their run was erased. */
export const erased = (block: Block): Block =>
  new Block(
    block.epoch,
    block.first,
    new Uint8Array(0),
    block.entries.map(() => ({ ...VOID, start: 0, end: 0 })),
  );

export interface Telling {
  readonly selection?: Selection;
  readonly place?: Place;
  readonly limit?: number;
  readonly merge?: boolean;
}

export const START: Place = { begin: 0, after: 0, prev: 0 };

/** Everything that a dialect says of blocks, as text. Checks what every chunk has to be. */
export function textOf(dialect: Dialect, blocks: readonly Block[], telling: Telling = {}): string {
  const { selection = OF_RUN, place = START, limit = Number.POSITIVE_INFINITY, merge = false } = telling;
  const encoder = dialect.encoder(selection, place);
  let text = '';
  for (const block of blocks) {
    while (encoder.after < block.last) {
      const { bytes, lastId, ended } = encoder.encode(block, limit, merge);
      const piece = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      text += piece;
      const ids = [...piece.matchAll(/^id: (.*)$/gm)].map(([, id]) => seqOf(id!));
      assert.equal(lastId, ids.at(-1) ?? 0, 'lastId is the number in the last id');
      if (ended) return text;
    }
  }
  return text;
}

export const framesOf = (dialect: Dialect, blocks: readonly Block[], telling?: Telling): readonly SpokenFrame[] =>
  readFrames(textOf(dialect, blocks, telling));

/** Reads frames as PROTOCOL.md section 5 allows them to be, and no other. */
export function readFrames(text: string): readonly SpokenFrame[] {
  assert.ok(text === '' || text.endsWith('\n\n'), 'the last frame is whole');
  return text
    .split('\n\n')
    .slice(0, -1)
    .map((block) => {
      const { id, event, data } = parseFrame(block);
      assert.match(id ?? '', /^[!-~]{1,64}$/, 'every frame of an event has an id');
      assert.ok(data !== undefined && block.split('\n').filter((line) => line.startsWith('data: ')).length === 1);
      return { id: id!, ...(event !== undefined && { event }), data: parsed(data) };
    });
}

/** The place after a frame: where the hub has a viewer go on that gives its id back. */
export function placeAfter(id: string): Place {
  const [, k] = numbersOf(id);
  const seq = seqOf(id);
  return k === undefined ? { begin: 0, after: seq, prev: seq } : { begin: 0, after: seq - 1, prev: seq - 1, k };
}

export const seqOf = (id: string): number => numbersOf(id)[0];

/** Number and `k` of `[<runId>.]<epoch>.<seq>[.<k>]`. */
function numbersOf(id: string): [number, number?] {
  const match = new RegExp(`^(?:[\\w-]+\\.)?${EPOCH}\\.(\\d+)(?:\\.(\\d+))?$`).exec(id);
  assert.ok(match, `not an id: ${id}`);
  return match[2] === undefined ? [Number(match[1])] : [Number(match[1]), Number(match[2])];
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return data;
  }
}
