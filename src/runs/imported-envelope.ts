import { z } from 'zod';
import { ID_PATTERN, TelltaleError } from '../protocol/index.ts';

const id = z.string().regex(ID_PATTERN);
const envelope = z.object({
  seq: z.int().min(1),
  epoch: id,
  threadId: id,
  runId: id,
  // As the log writes it: its texts order as the times do.
  time: z.iso.datetime({ precision: 3 }),
  parentRunId: id.exactOptional(),
});

/** What the log that an event comes from had written about it. */
export type ImportedEnvelope = z.infer<typeof envelope>;

/**
 * Takes an exported event apart: what its log wrote, and what its producer did.
 *
 * @throws {TelltaleError} `invalid_event`
 */
export function parseEnvelope(input: unknown, at: string): { envelope: ImportedEnvelope; draft: unknown } {
  const shape = envelope.safeParse(input);
  if (!shape.success) {
    const issues = shape.error.issues.slice(0, 5).map((it) => `${[at, ...it.path].join('.')}: ${it.message}`);
    throw new TelltaleError('invalid_event', issues.join('; '), { issues });
  }
  const { seq, epoch, threadId, runId, time, parentRunId, ...draft } = input as Record<string, unknown>;
  if ('first' in draft || 'count' in draft || 'prev' in draft) {
    const detail = `${at}: this is a frame of a stream (prev, first, count), which may stand for several events. "telltale export" writes each by itself.`;
    throw new TelltaleError('invalid_event', detail);
  }
  return { envelope: shape.data, draft };
}
