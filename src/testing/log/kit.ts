/** What the cases are written with. */
import assert from 'node:assert/strict';
import type { Ack, AppendOptions, Log, ProducerKey, RunOpening } from '../../log/index.ts';
import {
  type AgentRef,
  type EncodedEvent,
  type ErrorCode,
  encodeEvent,
  isTerminal,
  isVoid,
  TelltaleError,
  type TelltaleEvent,
} from '../../protocol/index.ts';

/** A wake-up may be late, even lost; but in a store that never sends one within this time, something is wrong. */
export const LATE_MS = 5_000;

export const AT = '2026-11-20T18:00:00.000Z';

/** A run of a thread, to be written to. */
export interface RunRef {
  readonly runId: string;
  readonly threadId: string;
}

export const run = (runId: string, threadId = runId): RunRef => ({ runId, threadId });

export function encode(of: RunRef, type: string, data: Record<string, unknown> = {}, agent?: AgentRef): EncodedEvent {
  return encodeEvent({ type, data, ...(agent && { agent }) }, { ...of, time: AT });
}

/** `count` events whose content tells them apart. */
export const notes = (of: RunRef, count: number, from = 0): EncodedEvent[] =>
  Array.from({ length: count }, (_, i) => encode(of, 'custom', { name: 'note', value: `${of.runId} ${from + i}` }));

export const opening = (about: Partial<RunOpening> = {}): RunOpening => ({ agent: 'tester', createdAt: AT, ...about });

/** Opens a run with one event. */
export const open = (log: Log, of: RunRef, about: Partial<RunOpening> = {}): Promise<Ack> =>
  log.append(of.threadId, [encode(of, 'run.started', { agent: 'tester' })], { runId: of.runId, opens: opening(about) });

/** Appends events to a run that is there; a terminal one at the end closes it. */
export function append(
  log: Log,
  of: RunRef,
  batch: readonly EncodedEvent[],
  options: Omit<AppendOptions, 'runId' | 'closes'> = {},
): Promise<Ack> {
  const closes = isTerminal(batch.at(-1)?.type ?? '');
  return log.append(of.threadId, batch, { runId: of.runId, ...(closes && { closes }), ...options });
}

export const close = (log: Log, of: RunRef, options?: Omit<AppendOptions, 'runId' | 'closes'>): Promise<Ack> =>
  append(log, of, [encode(of, 'run.completed', { output: 'done' })], options);

/** A producer key; the digest says what is sent. */
export const key = (id: string, epoch: number, seq: number, digest = `${id} ${epoch} ${seq}`): ProducerKey => ({
  id,
  epoch,
  seq,
  digest,
});

/** Every event a thread holds after `after`, read page by page; numbers and bytes are checked on the way. */
export async function readAll(log: Log, threadId: string, after = 0, bytes?: number): Promise<TelltaleEvent[]> {
  const events: TelltaleEvent[] = [];
  let position = after;
  for (;;) {
    const { head, blocks } = await log.read(threadId, position, bytes);
    if (blocks.length === 0) {
      assert.ok(position >= head.last, `no blocks after ${position}, though the head is at ${head.last}`);
      return events;
    }
    if (position < head.first - 1) position = head.first - 1;
    for (const block of blocks) {
      assert.equal(block.first, position + 1, 'pages continue without hole or repeat');
      assert.equal(block.entries.at(-1)?.end, block.bytes.length, 'a block is its frames and nothing else');
      for (const entry of block.entries) {
        position++;
        if (isVoid(entry)) continue;
        const event = block.event(position);
        assert.equal(event.seq, position);
        assert.equal(event.epoch, block.epoch);
        events.push(event);
      }
    }
  }
}

/** What the events of `notes` say, in order. */
export const values = (events: readonly TelltaleEvent[]): unknown[] =>
  events.filter(({ type }) => type === 'custom').map(({ data }) => (data as { value: unknown }).value);

/** The promise rejects with this code (and these particulars); gives the error. */
export async function refuses(
  promise: Promise<unknown>,
  code: ErrorCode,
  particulars: Readonly<Record<string, unknown>> = {},
): Promise<TelltaleError> {
  const error = await promise.then(
    () => assert.fail(`must be refused with ${code}`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof TelltaleError, `must be a TelltaleError, is ${String(error)}`);
  assert.equal(error.code, code, error.message);
  for (const [name, value] of Object.entries(particulars)) assert.deepEqual(error.particulars[name], value, name);
  return error;
}

/** The value, which has to be there. */
export function there<T>(value: T | undefined): T {
  assert.ok(value !== undefined, 'must be there');
  return value;
}
