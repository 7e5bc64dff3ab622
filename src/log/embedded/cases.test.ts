import * as fc from 'fast-check';
import { describe, it } from 'vitest';
import { logCases, logProperties } from '../../testing/index.ts';
import { place } from './place.fixture.ts';

const skip = (name: string, why: string) => it.skip(`${name} (${why})`);

describe.each([
  ['everything in the journal', 16 * 1024 * 1024],
  ['moved into the archive after every commit', 1],
])('the embedded store, %s', (_, segmentBytes) => {
  const harness = { test: it, skip, place: () => place(segmentBytes) };
  logCases(harness);
  logProperties(harness, fc, { rounds: process.env.TELLTALE_LONG ? 1000 : 40 });
});
