import type { Usage } from '../../protocol/index.ts';

/**
 * Tokens in AG-UI's accounting, which is also AI SDK's: the totals include cached and reasoning tokens. What the provider
 * did not report is absent; where it reported nothing, so is the whole.
 *
 * @param usage As telemetry tells it (`LanguageModelUsage`), or as models do (`LanguageModelV4Usage`).
 */
export function usageOf(usage: unknown): Usage | undefined {
  const { inputTokens, outputTokens, totalTokens, inputTokenDetails, outputTokenDetails } = Object(usage);
  const [input, output] = [inputTokens?.total ?? inputTokens, outputTokens?.total ?? outputTokens];
  const counts = {
    inputTokens: input,
    outputTokens: output,
    totalTokens: totalTokens ?? input + output,
    cachedInputTokens: inputTokenDetails?.cacheReadTokens ?? inputTokens?.cacheRead,
    reasoningTokens: outputTokenDetails?.reasoningTokens ?? outputTokens?.reasoning,
  };
  const known = Object.entries(counts).filter(([, count]) => Number.isSafeInteger(count) && count >= 0);
  return known.length > 0 ? Object.fromEntries(known) : undefined;
}
