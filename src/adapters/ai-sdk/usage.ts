import type { Usage } from '../../protocol/index.ts';

/**
 * Tokens in AG-UI's accounting, which is also AI SDK's: the totals include cached and reasoning tokens. What the provider
 * did not report is absent; where it reported nothing, so is the whole.
 */
export function usageOf(usage: unknown): Usage | undefined {
  const { inputTokens, outputTokens, totalTokens, inputTokenDetails, outputTokenDetails } = Object(usage);
  const counts = {
    inputTokens,
    outputTokens,
    totalTokens,
    cachedInputTokens: inputTokenDetails?.cacheReadTokens,
    reasoningTokens: outputTokenDetails?.reasoningTokens,
  };
  const known = Object.entries(counts).filter(([, count]) => Number.isSafeInteger(count) && count >= 0);
  return known.length > 0 ? Object.fromEntries(known) : undefined;
}
