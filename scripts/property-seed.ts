import { configureGlobal } from 'fast-check';

// The quick tier tries the same cases every time, so that red means: this change. `--long` tries others each time, and
// fast-check prints the seed of what it finds.
if (!process.env.TELLTALE_LONG) configureGlobal({ seed: 20261120 });
