import { z } from 'zod';
import { data, durationMs, entityId, text } from './shared.ts';

const role = z.enum(['assistant', 'user', 'system', 'tool']);

/** A whole `text` that follows deltas of the same id closes them; it does not repeat them. */
export const reasoningEvents = {
  'reasoning.started': data({ reasoningId: entityId }),
  'reasoning.delta': data({ reasoningId: entityId, delta: text }),
  'reasoning.completed': data({
    reasoningId: entityId,
    text: text.exactOptional(),
    durationMs: durationMs.exactOptional(),
  }),
};

export const messageEvents = {
  'message.started': data({ messageId: entityId, role: role.exactOptional() }),
  'message.delta': data({ messageId: entityId, delta: text }),
  'message.completed': data({ messageId: entityId, role: role.exactOptional(), text: text.exactOptional() }),
};
