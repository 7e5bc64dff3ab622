import { rm } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { newDir } from './place.fixture.ts';
import { noteClosed, noteOpen } from './unclean.ts';

it('suspects the store after two processes in a row that did not come to close it, once', async () => {
  const dir = await newDir();
  expect([await noteOpen(dir), await noteOpen(dir), await noteOpen(dir), await noteOpen(dir)]).toEqual([
    false,
    false,
    true,
    false,
  ]);
  await noteClosed(dir);
  expect([await noteOpen(dir), await noteOpen(dir)]).toEqual([false, false]);
  await rm(dir, { recursive: true });
});
