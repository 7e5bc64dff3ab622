import { expect, test } from 'vitest';
import type { Log, Page } from '../log/index.ts';
import { openMemory } from '../log/memory.ts';
import { encodeEvent, type Head } from '../protocol/index.ts';
import { readPage } from './page.ts';

/** Thread `t` of one run with eight events of 200 KB: more than one read, and less than two pages. */
async function bigThread(): Promise<Log> {
  const log = openMemory();
  const context = { threadId: 't', runId: 'r', time: '2026-11-20T18:00:00.000Z' };
  const opens = { agent: 'a', createdAt: context.time };
  await log.append('t', [encodeEvent({ type: 'run.started', data: { agent: 'a' } }, context)], { runId: 'r', opens });
  for (let i = 0; i < 8; i++) {
    const event = encodeEvent({ type: 'my.own', data: { text: 'x'.repeat(200_000) } }, context);
    await log.append('t', [event], { runId: 'r' });
  }
  return log;
}

/** From the third read on, the log's head is another: what a cut or a trim in the middle of a page looks like. */
function changing(log: Log, change: (head: Head) => Head): Log {
  let reads = 0;
  let changed = false;
  const headNow = (head: Head): Head => (changed ? change(head) : head);
  return Object.assign(Object.create(log) as Log, {
    head: async (threadId: string) => headNow((await log.head(threadId))!),
    read: async (threadId: string, after: number, bytes?: number): Promise<Page> => {
      changed ||= ++reads > 2;
      const page = await log.read(threadId, after, bytes);
      return { ...page, head: headNow(page.head) };
    },
  });
}

const parsed = async (log: Log, after?: string) =>
  JSON.parse(await readPage(log, 't', { limit: 1000, ...(after !== undefined && { after }) }));

test.each<[string, (head: Head) => Head]>([
  ['diverged', (head) => ({ ...head, epoch: 'new', epochs: [...head.epochs, { id: 'new', after: 1 }] })],
  ['truncated', (head) => ({ ...head, first: 9 })],
])(
  'a log that is cut in the middle of a page ends the page there; whoever goes on is told "%s" (P7)',
  async (reason, change) => {
    const whole = await bigThread();
    const { events: all } = await parsed(whole);
    const log = changing(whole, change);
    const page = await parsed(log);
    expect(page.events).toEqual(all.slice(0, page.events.length));
    expect(page.events.length).toBeLessThan(all.length);
    expect(page).toMatchObject({ cursor: `${all[0].epoch}.${page.events.length}`, more: true });
    await expect(parsed(log, page.cursor)).rejects.toMatchObject({ code: 'invalid_cursor', particulars: { reason } });
  },
);
