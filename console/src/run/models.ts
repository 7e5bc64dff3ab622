import type { LlmSpan } from 'telltale/protocol';
import { visible } from 'telltale/react/parts';
import { perList } from '../ui/per-list.ts';

/** Who was asked to think, each once: `opus-4.1, rules-1 (no LLM)`. Empty as long as the log names nobody. */
export const modelsOf = perList((calls: readonly LlmSpan[]): string =>
  [...new Set(calls.map(({ model }) => visible(model)).filter(Boolean))].join(', '),
);
