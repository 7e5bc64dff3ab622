import { afterEach, describe, expect, test } from 'vitest';
import { openMemory } from '../log/memory.ts';
import { TelltaleError } from '../protocol/index.ts';
import type { Admit } from './admit.ts';
import { Runs } from './runs.ts';

const log = openMemory();
const runs = new Runs(log);
runs.register('agent', () => 'done');
let thread = 0;

afterEach(() => {
  thread++;
});

/** Admits an owner to new threads and to his own; all look before anybody begins. */
function together(count: number): (owner: string) => Admit {
  const all = Promise.withResolvers<void>();
  let looking = 0;
  return (owner) => async (threadId) => {
    const head = await log.head(threadId);
    if (++looking === count) all.resolve();
    await all.promise;
    if (!head) return 'new';
    const { runs } = await log.runs.list({ threadId, limit: 10 });
    if (runs.every((run) => run.owner === owner)) return 'known';
    throw new TelltaleError('thread_not_found', `${threadId} is not ${owner}\u2019s.`);
  };
}

describe.each(['local', 'remote'] as const)('a %s run that begins a thread (P8)', (mode) => {
  test('begins it alone: whoever comes second is decided upon by whose it is then', async () => {
    const admits = together(4);
    const start = (owner: string) =>
      runs.start({ agent: 'agent', mode, threadId: `t${thread}`, owner }, admits(owner)).then(
        () => owner,
        (error) => TelltaleError.from(error).code,
      );
    const outcomes = await Promise.all(['ann', 'bob', 'ann', 'bob'].map(start));
    const { runs: listed } = await log.runs.list({ threadId: `t${thread}`, limit: 10 });
    expect(listed.map(({ owner }) => owner)).toEqual(['ann', 'ann']);
    expect(outcomes).toEqual(['ann', 'thread_not_found', 'ann', 'thread_not_found']);
  });

  test('that is not admitted is not there', async () => {
    const admit = async () => {
      throw new TelltaleError('thread_not_found', 'No.');
    };
    const runId = `never-${mode}`;
    await expect(runs.start({ agent: 'agent', mode, runId }, admit)).rejects.toMatchObject({
      code: 'thread_not_found',
    });
    expect(await log.runs.get(runId)).toBeUndefined();
  });
});
