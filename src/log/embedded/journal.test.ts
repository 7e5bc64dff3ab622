import { readFile, rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Finding, readCommits } from './commit-codec.ts';
import type { JournalEntry } from './entry.ts';
import { segmentPath } from './files.ts';
import { Journal } from './journal.ts';
import { newDir } from './place.fixture.ts';

const entry = (threadId: string): JournalEntry => ({
  threadId,
  incarnation: 'i',
  head: { epoch: 'e', first: 1, last: 0, epochs: [] },
});

describe('the journal', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await newDir();
  });
  afterEach(() => rm(dir, { recursive: true }));

  const findings = async (segment: number): Promise<Finding[]> => [
    ...readCommits(await readFile(segmentPath(dir, segment))),
  ];

  it('reads back its commits in order, over segments', async () => {
    const journal = await Journal.create(dir, 1, 0);
    await journal.commit([entry('a'), entry('b')]);
    await journal.rotate();
    await journal.commit([entry('c')]);
    expect(journal.end).toMatchObject({ segment: 2, commit: 2 });
    await journal.close();
    expect(await findings(1)).toMatchObject([
      { kind: 'commit', number: 1, whole: true, entries: [entry('a'), entry('b')] },
    ]);
    expect(await findings(2)).toMatchObject([{ kind: 'commit', number: 2, whole: true, entries: [entry('c')] }]);
  });

  it('cuts off what a failed write left, however long, before it goes on', async () => {
    let journal = await Journal.create(dir, 1, 0);
    await journal.commit([entry('kept')]);
    const { end } = journal;
    await journal.commit([entry('x'.repeat(5000))]);
    await journal.close();
    journal = await Journal.resume(dir, end);
    await journal.commit([entry('next')]);
    await journal.close();
    expect(await findings(1)).toMatchObject([
      { kind: 'commit', number: 1, entries: [entry('kept')] },
      { kind: 'commit', number: 2, entries: [entry('next')] },
    ]);
  });

  it('goes on behind a damaged commit, and saves the entries of it that are whole', async () => {
    const journal = await Journal.create(dir, 1, 0);
    await journal.commit([entry('a'), entry('b'), entry('c')]);
    await journal.commit([entry('d')]);
    await journal.close();
    const bytes = await readFile(segmentPath(dir, 1));
    bytes[bytes.indexOf('"threadId":"b"') + 12]! ^= 1;
    expect([...readCommits(bytes)]).toMatchObject([
      { kind: 'commit', whole: false, entries: [entry('a'), entry('c')] },
      { kind: 'commit', whole: true, entries: [entry('d')] },
    ]);
    bytes[40]! ^= 1;
    expect([...readCommits(bytes)]).toMatchObject([
      { kind: 'damage', from: 32 },
      { kind: 'commit', number: 2 },
    ]);
  });
});
