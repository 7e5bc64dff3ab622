import * as fc from 'fast-check';
import { describe, it } from 'vitest';
import { logCases, logProperties } from '../testing/index.ts';
import { openMemory } from './memory.ts';

const harness = {
  test: it,
  skip: (name: string, why: string) => it.skip(`${name} (${why})`),
  forgets: 'a memory store keeps nothing',
  place: async () => ({
    open: async () => openMemory(),
    crash: async () => {},
    remove: async () => {},
  }),
};

describe('the memory store', () => {
  logCases(harness);
  logProperties(harness, fc);
});
