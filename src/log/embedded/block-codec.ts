/**
 * A block in bytes, in the journal and in the archive alike:
 *
 *   u32 length of the names | names (JSON) | u32 n | 6 columns of n u32 | frames
 *
 * The columns are, per event: end of its frame, type, run, agent, entity, delta bytes. Texts are numbers into the names;
 * 0 stands for "none" in the last three. A reader that sends the block as it is touches nothing but the names' head.
 */
import { type AgentRef, Block, type Entry, VOID } from '../../protocol/index.ts';

interface Names {
  readonly epoch: string;
  readonly first: number;
  readonly types: string[];
  readonly runs: string[];
  readonly agents: AgentRef[];
  readonly entities: string[];
}

const COLUMNS = 6;

export function encodeBlock(block: Block): Buffer {
  const names: Names = { epoch: block.epoch, first: block.first, types: [], runs: [], agents: [], entities: [] };
  const indexes = new Map<string, number>();
  const { entries } = block;
  const n = entries.length;
  const columns = new Uint32Array(n * COLUMNS);
  for (let i = 0; i < n; i++) {
    const { end, type, runId, agent, entity, deltaBytes } = entries[i]!;
    columns[i] = end;
    columns[n + i] = indexOf(indexes, `t${type}`, names.types, type);
    columns[2 * n + i] = indexOf(indexes, `r${runId}`, names.runs, runId);
    if (agent) columns[3 * n + i] = 1 + indexOf(indexes, `a${JSON.stringify(agent)}`, names.agents, agent);
    if (entity !== undefined) columns[4 * n + i] = 1 + indexOf(indexes, `e${entity}`, names.entities, entity);
    if (deltaBytes !== undefined) columns[5 * n + i] = 1 + deltaBytes;
  }
  const text = Buffer.from(JSON.stringify(names));
  const lengths = Buffer.allocUnsafe(8);
  lengths.writeUInt32LE(text.length, 0);
  lengths.writeUInt32LE(n, 4);
  return Buffer.concat([
    lengths.subarray(0, 4),
    text,
    lengths.subarray(4),
    new Uint8Array(columns.buffer),
    block.bytes,
  ]);
}

function indexOf<T>(indexes: Map<string, number>, key: string, values: T[], value: T): number {
  const known = indexes.get(key);
  if (known !== undefined) return known;
  indexes.set(key, values.length);
  return values.push(value) - 1;
}

/** Shares the bytes given, which were checked against their CRC before. */
export function decodeBlock(bytes: Buffer): Block {
  const textEnd = 4 + bytes.readUInt32LE(0);
  const names = JSON.parse(bytes.toString('utf8', 4, textEnd)) as Names;
  const count = bytes.readUInt32LE(textEnd);
  const columns = textEnd + 4;
  const decode = () => decodeEntries(bytes.subarray(columns), count, names);
  const hasVoid = names.types.includes(VOID.type);
  return new Block(names.epoch, names.first, bytes.subarray(columns + 4 * COLUMNS * count), { count, hasVoid, decode });
}

function decodeEntries(bytes: Buffer, n: number, names: Names): Entry[] {
  const entries: Entry[] = new Array(n);
  const cell = (column: number, row: number) => bytes.readUInt32LE(4 * (column * n + row));
  let start = 0;
  for (let i = 0; i < n; i++) {
    const end = cell(0, i);
    const agent = cell(3, i);
    const entity = cell(4, i);
    const deltaBytes = cell(5, i);
    const entry: { -readonly [K in keyof Entry]: Entry[K] } = {
      type: names.types[cell(1, i)]!,
      runId: names.runs[cell(2, i)]!,
      start,
      end,
    };
    if (agent > 0) entry.agent = names.agents[agent - 1]!;
    if (entity > 0) entry.entity = names.entities[entity - 1]!;
    if (deltaBytes > 0) entry.deltaBytes = deltaBytes - 1;
    entries[i] = entry;
    start = end;
  }
  return entries;
}
