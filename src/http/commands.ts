import { Hono } from 'hono';
import type { RunStatus } from '../protocol/index.ts';
import { byOf } from './access/index.ts';
import { CommandOutcome } from './answers.ts';
import { readBody } from './body.ts';
import type { RouteContext } from './context.ts';
import { IdempotencyHeaders, readIdempotencyKey } from './idempotency-key.ts';
import type { Operation, Operations } from './openapi/operation.ts';
import { readQuery } from './query.ts';
import { CommandRequest, NoQuery } from './schemas.ts';

const COMMANDS = ['cancel', 'pause', 'resume'] as const;

/** Asking a run to stop, to wait or to go on. */
export function commandRoutes({ runs, limits }: RouteContext): Hono {
  const app = new Hono();
  const rules = { maxBytes: limits.batchBytes, maxDepth: limits.jsonDepth };
  for (const command of COMMANDS) {
    app.post(`/v1/runs/:runId/${command}`, async (c) => {
      readQuery(c, NoQuery);
      const key = readIdempotencyKey(c);
      const { by: said, ...about } = await readBody(c, { ...rules, schema: CommandRequest, absent: {} });
      const by = byOf(c, said);
      const request = {
        ...about,
        ...(by !== undefined && { by }),
        command,
        ...(key !== undefined && { idempotencyKey: key }),
      };
      const outcome = await runs.commands.ask(c.req.param('runId'), request);
      return c.json(outcome, outcome.commandId === undefined || outcome.duplicate ? 200 : 202);
    });
  }
  return app;
}

/** What the three have in common; `done`: the status of a run to which there is nothing left to do. */
const operation = (
  command: (typeof COMMANDS)[number],
  done: RunStatus,
  about: Pick<Operation, 'summary' | 'description' | 'examples'>,
): Operation => ({
  id: `${command}Run`,
  group: 'Runs',
  needs: 'control',
  ...about,
  headers: IdempotencyHeaders,
  body: { json: CommandRequest, optional: true },
  answers: {
    202: {
      description: 'It was asked for: `control.requested` is in the log.',
      json: CommandOutcome,
      example: { status: 'running', commandId: 'k2b8s0d7a1m4x9q3', seq: 7 },
    },
    200: {
      description: 'There was nothing left to do, or it was asked for before under its `Idempotency-Key`.',
      json: CommandOutcome,
      example: { status: done },
    },
  },
  refuses: [
    ...['run_not_found', 'run_deleted', 'invalid_json', 'too_deep', 'batch_too_large', 'unsupported_media_type'],
    ...['idempotency_conflict', 'overloaded', 'storage_full'],
    ...(command === 'cancel' ? [] : ['command_refused']),
  ] as Operation['refuses'],
});

export const commandOperations: Operations = {
  'POST /v1/runs/{runId}/cancel': operation('cancel', 'completed', {
    summary: 'Ask a run to stop',
    description: 'Its agent is told to come to an end, and the run ends as `run.cancelled`.',
    examples: [{ path: { runId: 'job' }, body: { reason: 'No longer needed', by: 'ada' } }],
  }),
  'POST /v1/runs/{runId}/pause': operation('pause', 'paused', {
    summary: 'Ask a run to wait',
    description:
      'What is under way finishes; before the next tool call, model call or checkpoint the agent is held, which `run.paused` tells. A run that waits for its turn cannot be paused.',
    examples: [
      { path: { runId: 'job' }, body: { reason: 'Let me look at this first', by: 'ada' } },
      { path: { runId: 'job' }, headers: { 'Idempotency-Key': '"5b1e-pause"' } },
    ],
  }),
  'POST /v1/runs/{runId}/resume': operation('resume', 'running', {
    summary: 'Ask a paused run to go on',
    description:
      'Told by `run.resumed`. A pause that was asked for and not followed yet is refused (`control.refused`) in its place.',
    examples: [{ path: { runId: 'job' }, body: { by: 'ada' } }],
  }),
};
