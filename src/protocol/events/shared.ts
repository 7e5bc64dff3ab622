import { z } from 'zod';

/** Ids inside events are the producer's (a model's tool-call id can be long), so they are only bounded. */
export const entityId = z.string().min(1).max(256);
export const name = z.string().min(1).max(256);
export const text = z.string();
export const durationMs = z.number().nonnegative();
/** Any JSON value that is there. Not walked: what arrives was parsed from JSON, what is written goes through it. */
export const value = z.unknown().refine((it) => it !== undefined, 'must be a JSON value');
const count = z.int().nonnegative();

/** Unknown fields are kept, optional means absent and never `null`. */
export const data = z.looseObject;

/** Tokens; the totals include cached and reasoning tokens, and absent is not zero (AG-UI's accounting). */
export const usage = data({
  inputTokens: count.exactOptional(),
  outputTokens: count.exactOptional(),
  totalTokens: count.exactOptional(),
  cachedInputTokens: count.exactOptional(),
  reasoningTokens: count.exactOptional(),
});

/** Money, with where the figure comes from; a cost that is not known is absent. */
export const cost = data({
  amount: z.number().nonnegative(),
  /** ISO 4217. */
  currency: z.string().regex(/^[A-Z]{3}$/),
  /** `provider` where the model's provider reported it, else what computed it. */
  source: z.string().min(1),
});

/** What went wrong. A stack only where the server is told to keep them. */
export const errorInfo = data({
  code: z.string().min(1).max(128),
  message: z.string(),
  retryable: z.boolean().exactOptional(),
  stack: z.string().exactOptional(),
});

/** Tokens used; see `usage`. */
export type Usage = z.infer<typeof usage>;
/** What something cost; see `cost`. */
export type Cost = z.infer<typeof cost>;
/** What `*.failed` and `error.reported` carry. `code` is an open set: agents have codes of their own. */
export type ErrorInfo = z.infer<typeof errorInfo>;
