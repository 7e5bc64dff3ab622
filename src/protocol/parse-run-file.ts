/** What checks a run's file; apart from what writes one, which browsers do. */
import { z } from 'zod';
import { TelltaleError } from './errors.ts';
import { ID_PATTERN } from './ids.ts';
import { RUN_FILE_VERSION, type RunFileHeader } from './run-file.ts';

/** The first line of a run's file, as it is checked. */
export const runFileHeaderSchema = z.strictObject({
  telltale: z.literal('run'),
  version: z.literal(RUN_FILE_VERSION),
  runId: z.string().regex(ID_PATTERN),
  threadId: z.string().regex(ID_PATTERN),
});

/** @throws {TelltaleError} `invalid_request` for anything but such a line of this version. */
export function parseRunFileHeader(input: unknown): RunFileHeader {
  const { success, data } = runFileHeaderSchema.safeParse(input);
  if (success) return data;
  const version = z.object({ telltale: z.literal('run'), version: z.int().min(RUN_FILE_VERSION + 1) }).safeParse(input);
  const detail = version.success
    ? `line 1: this file is of version ${version.data.version}; this server knows version ${RUN_FILE_VERSION}. Import it with a newer one.`
    : 'line 1: a run begins with the line {"telltale":"run","version":1,"runId":…,"threadId":…}, as "telltale export" writes it.';
  throw new TelltaleError('invalid_request', detail, { line: 1 });
}
