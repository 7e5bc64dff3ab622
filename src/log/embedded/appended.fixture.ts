import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { expect } from 'vitest';
import type { Log } from '../index.ts';

const APPENDER = new URL('./appender.fixture.ts', import.meta.url).pathname;

/** Numbers of events, by what they say: "producer.seq". */
export type Numbers = Map<string, number>;

/**
 * Lets a process append in a directory until so many acknowledgements were heard, calls `then` with them, and kills it.
 * Gives all that were heard.
 */
export async function appendAndKill(
  dir: string,
  segmentBytes: number,
  next: readonly number[],
  acks: number,
  then: (acknowledged: ReadonlyMap<string, number>, pid: number) => void = () => {},
): Promise<Numbers> {
  const child = spawn(process.execPath, [APPENDER, dir, String(segmentBytes), ...next.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const acknowledged: Numbers = new Map();
  const failures: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const [producer, seq, first] = line.split(' ');
    if (producer === 'failed') failures.push(line);
    if (first === undefined || producer === 'failed') continue;
    acknowledged.set(`${producer}.${seq}`, Number(first));
    if (acknowledged.size !== acks) continue;
    then(acknowledged, child.pid!);
    child.kill('SIGKILL');
  }
  await exited;
  expect(failures).toEqual([]);
  return acknowledged;
}

/** Everything in the appender's threads: numbered in a row, under one epoch, and nothing twice. */
export async function readAppended(log: Log): Promise<Numbers> {
  const found: Numbers = new Map();
  for (const threadId of ['t0', 't1', 't2', 't3']) {
    if (!(await log.head(threadId))) continue;
    let after = 0;
    for (let page = await log.read(threadId, 0); page.blocks.length > 0; page = await log.read(threadId, after)) {
      expect(page.head.epochs).toHaveLength(1);
      for (const block of page.blocks) {
        expect(block.first).toBe(after + 1);
        after = block.last;
        for (const { seq, data } of block.events()) {
          const [key] = String((data as { value: unknown }).value).split(' ');
          expect(found.has(key!), `${key} is there once`).toBe(false);
          found.set(key!, seq);
        }
      }
    }
  }
  return found;
}
