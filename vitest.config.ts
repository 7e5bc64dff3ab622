import { defineConfig } from 'vitest/config';
import { LongestFirst } from './scripts/longest-first.ts';

export default defineConfig({
  resolve: { conditions: ['telltale-source'] },
  ssr: { resolve: { conditions: ['telltale-source'] } },
  test: {
    include: ['src/**/*.test.{ts,tsx}', 'bench/**/*.test.ts', 'examples/*/*.test.ts', 'console/src/**/*.test.{ts,tsx}'],
    pool: 'forks',
    // They wait for disks, clocks and browsers two thirds of their time: three at a time leave two cores idle for half of it, five
    // make the slowest of them late.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    // Each file is a process of its own, which else asks for every module of ours to be transformed again.
    fsModuleCache: true,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    setupFiles: ['./scripts/property-seed.ts'],
    reporters: ['default', './scripts/count-reporter.mjs'],
  },
});
