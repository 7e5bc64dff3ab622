import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['telltale-source'] },
  ssr: { resolve: { conditions: ['telltale-source'] } },
  test: {
    include: ['src/**/*.test.{ts,tsx}', 'bench/**/*.test.ts', 'examples/*/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    setupFiles: ['./scripts/property-seed.ts'],
    reporters: ['default', './scripts/count-reporter.mjs'],
  },
});
