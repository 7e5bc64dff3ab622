/**
 * A process of its own that appends until it is killed: `node appender.fixture.ts <dir> <segmentBytes> <round>`. Prints
 * a line per acknowledgement, `<producer> <seq> <first>`, once it has it. Starts by repeating what it does not know.
 */
import { writeSync } from 'node:fs';
import { encodeEvent, TelltaleError } from '../../protocol/index.ts';
import type { Damage } from './damage.ts';
import { openStore } from './place.fixture.ts';

const PRODUCERS = 16;
const THREADS = 4;

const [dir, segmentBytes, ...next] = process.argv.slice(2);
const told: Damage[] = [];
const log = await openStore(dir!, Number(segmentBytes), told);
// A kill damages nothing.
if (told.length > 0) fail('damage', JSON.stringify(told));
writeSync(1, 'open\n');
await Promise.all(Array.from({ length: PRODUCERS }, (_, i) => produce(i, Number(next[i] ?? 0))));

async function produce(i: number, from: number): Promise<never> {
  const threadId = `t${i % THREADS}`;
  const runId = `run${i}`;
  const event = (seq: number) =>
    encodeEvent(
      { type: 'custom', data: { name: 'n', value: `${i}.${seq} ${'x'.repeat((seq * 37) % 500)}` } },
      { threadId, runId, time: '2026-11-20T18:00:00.000Z' },
    );
  const opens = { agent: 'a', createdAt: '2026-11-20T18:00:00.000Z' };
  for (let seq = from; ; seq++) {
    const producer = { id: `p${i}`, epoch: 0, seq, digest: `${i}.${seq}` };
    const ack = await log
      .append(threadId, [event(seq)], { runId, producer, ...(seq === 0 && { opens }) })
      .catch((error: unknown) => fail(TelltaleError.from(error).code, String(error)));
    writeSync(1, `${i} ${seq} ${ack.first}\n`);
  }
}

/** Told to the parent, who fails the test. */
function fail(code: string, detail: string): never {
  writeSync(1, `failed ${code} ${detail}\n`);
  process.exit(1);
}
