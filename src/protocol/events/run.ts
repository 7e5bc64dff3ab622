import { z } from 'zod';
import { cost, data, durationMs, errorInfo, name, text, usage, value } from './shared.ts';

/** `local`: an agent registered with the server runs it. `remote`: somebody else appends its events. */
const mode = z.enum(['local', 'remote']);
const opened = {
  agent: name,
  mode: mode.exactOptional(),
  input: value.exactOptional(),
  metadata: z.record(z.string(), value).exactOptional(),
};

export const runEvents = {
  'run.queued': data({ ...opened, position: z.int().nonnegative().exactOptional() }),
  'run.started': data(opened),
  'run.completed': data({
    output: value.exactOptional(),
    usage: usage.exactOptional(),
    cost: cost.exactOptional(),
    durationMs: durationMs.exactOptional(),
  }),
  'run.failed': data({ error: errorInfo, usage: usage.exactOptional(), durationMs: durationMs.exactOptional() }),
  'run.cancelled': data({
    reason: text.exactOptional(),
    by: name.exactOptional(),
    commandId: name.exactOptional(),
    durationMs: durationMs.exactOptional(),
  }),
  'run.paused': data({ reason: text.exactOptional(), by: name.exactOptional(), commandId: name.exactOptional() }),
  'run.resumed': data({ by: name.exactOptional(), commandId: name.exactOptional() }),
};
