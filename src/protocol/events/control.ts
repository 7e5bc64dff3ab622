import { z } from 'zod';
import { cost, data, entityId, errorInfo, name, text, usage, value } from './shared.ts';

/** What people are asked and what they answer. */
export const peopleEvents = {
  'approval.requested': data({
    approvalId: entityId,
    prompt: text,
    toolCallId: entityId.exactOptional(),
    options: z.array(name).exactOptional(),
    expiresAt: z.iso.datetime({ offset: true }).exactOptional(),
  }),
  'approval.resolved': data({
    approvalId: entityId,
    decision: name,
    by: name.exactOptional(),
    comment: text.exactOptional(),
  }),
  'approval.expired': data({ approvalId: entityId }),
  'input.received': data({ inputId: entityId.exactOptional(), input: value, by: name.exactOptional() }),
};

const limit = z.enum(['cost', 'tokens', 'toolCalls']);
const figures = { limit, used: z.number().nonnegative(), max: z.number().nonnegative() };

export const moneyEvents = {
  /** Totals of the run so far; they replace what was summed up before. */
  'usage.updated': data({ usage: usage.exactOptional(), cost: cost.exactOptional() }),
  'budget.set': data({
    maxCost: z.number().nonnegative().exactOptional(),
    maxTokens: z.int().nonnegative().exactOptional(),
    maxToolCalls: z.int().nonnegative().exactOptional(),
    /** Part of a maximum at which to warn. */
    warnAt: z.number().min(0).max(1).exactOptional(),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/)
      .exactOptional(),
    /** What happens before the next call once a maximum is reached; `stop` where nothing is said. */
    onExceeded: z.enum(['stop', 'pause', 'ask']).exactOptional(),
  }),
  'budget.warning': data(figures),
  'budget.exceeded': data({ ...figures, decision: z.enum(['stop', 'pause', 'ask']).exactOptional() }),
};

export const controlEvents = {
  'control.requested': data({
    command: z.enum(['cancel', 'pause', 'resume']),
    commandId: entityId,
    by: name.exactOptional(),
    reason: text.exactOptional(),
  }),
  /** It will not be followed: final. */
  'control.refused': data({ commandId: entityId, error: errorInfo }),
  /** Nothing has followed it in time. It may yet be applied or refused. */
  'control.overdue': data({ commandId: entityId }),
};

const pointer = z.string().regex(/^(?:\/(?:[^~/]|~[01])*)*$/);

/** RFC 6902. */
const operation = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('add'), path: pointer, value }),
  z.strictObject({ op: z.literal('replace'), path: pointer, value }),
  z.strictObject({ op: z.literal('test'), path: pointer, value }),
  z.strictObject({ op: z.literal('remove'), path: pointer }),
  z.strictObject({ op: z.literal('move'), from: pointer, path: pointer }),
  z.strictObject({ op: z.literal('copy'), from: pointer, path: pointer }),
]);

export const stateEvents = {
  'state.snapshot': data({ state: value }),
  'state.patched': data({ patch: z.array(operation) }),
  'artifact.added': data({
    artifactId: entityId,
    name,
    mediaType: name.exactOptional(),
    url: text.exactOptional(),
    content: value.exactOptional(),
  }),
  'source.added': data({
    sourceId: entityId,
    title: text.exactOptional(),
    url: text.exactOptional(),
    /** A file, and the line in it. */
    path: text.exactOptional(),
    line: z.int().positive().exactOptional(),
    quote: text.exactOptional(),
  }),
  /** Told, not terminal. */
  'error.reported': data({ error: errorInfo }),
  custom: data({ name, value }),
};
