import { expect, test } from 'vitest';
import { buildBlock, type Log, type Page } from '../log/index.ts';
import { encodeEvent, type Head } from '../protocol/index.ts';
import { RunWatch } from './run-watch.ts';

const RUN = { threadId: 't', runId: 'r' };

/** A block of commands, of one epoch. */
const commands = (epoch: string, first: number, ...commandIds: string[]) =>
  buildBlock(
    epoch,
    first,
    commandIds.map((commandId) =>
      encodeEvent(
        { type: 'control.requested', data: { command: 'cancel', commandId } },
        { ...RUN, time: '2026-11-20T18:00:00.000Z' },
      ),
    ),
  );

test('a log that lost its end is read again from where both share their past: no command is missed', async () => {
  const opened = { epoch: 'a', first: 1, last: 1 };
  const before: Head = { epoch: 'a', first: 1, last: 4, epochs: [{ id: 'a', after: 0 }] };
  // Numbers 3 and 4 of epoch a are gone; 3 was given anew, so the log is shorter than what was read of it.
  const after: Head = { epoch: 'b', first: 1, last: 3, epochs: [...before.epochs, { id: 'b', after: 2 }] };
  let page: (after: number) => Page = (from) => ({
    head: before,
    blocks: from < 4 ? [commands('a', 2, 'kept', 'lost', 'lost too')] : [],
  });
  let wake: Parameters<Log['follow']>[1] = () => {};
  const log = {
    read: async (_threadId: string, from: number) => page(from),
    follow: async (_threadId: string, listener: typeof wake) => {
      wake = listener;
      return () => {};
    },
  } as unknown as Log;
  const seen: string[] = [];
  const watch = new RunWatch(log, RUN, opened, ({ data }) => seen.push((data as { commandId: string }).commandId));
  await expect.poll(() => seen).toEqual(['kept', 'lost', 'lost too']);

  page = (from) => ({ head: after, blocks: from < 3 ? [commands('b', 3, 'anew')] : [] });
  wake({ epoch: 'b', last: 3, block: commands('b', 3, 'anew') });
  await expect.poll(() => seen.slice(3)).toEqual(['anew']);
  watch.stop();
});
