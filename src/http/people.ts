import { Hono } from 'hono';
import { byOf } from './access/index.ts';
import { AnsweredApproval, ReceivedInput } from './answers.ts';
import { readBody } from './body.ts';
import type { AppContext } from './context.ts';
import { IdempotencyHeaders, readIdempotencyKey } from './idempotency-key.ts';
import type { Operations } from './openapi/operation.ts';
import { readQuery } from './query.ts';
import { AnswerRequest, InputRequest, NoQuery } from './schemas.ts';

/** What people answer and say to runs. */
export function peopleRoutes({ runs, limits }: AppContext): Hono {
  const app = new Hono();
  // `input` stands in `data` of its event as it stands in the body.
  const rules = { maxBytes: limits.batchBytes, maxDepth: limits.jsonDepth };

  app.post('/v1/runs/:runId/approvals/:approvalId', async (c) => {
    readQuery(c, NoQuery);
    const key = readIdempotencyKey(c);
    const { by: said, ...answer } = await readBody(c, { ...rules, schema: AnswerRequest });
    const by = byOf(c, said);
    const { runId, approvalId } = c.req.param();
    const about = { ...(by !== undefined && { by }), ...(key !== undefined && { idempotencyKey: key }) };
    return c.json(await runs.approvals.answer(runId, approvalId, { ...answer, ...about }));
  });

  app.post('/v1/runs/:runId/input', async (c) => {
    readQuery(c, NoQuery);
    const key = readIdempotencyKey(c);
    const { input, by: named, ...more } = await readBody(c, { ...rules, schema: InputRequest });
    const by = byOf(c, named);
    const said = { ...more, input, ...(by !== undefined && { by }), ...(key !== undefined && { idempotencyKey: key }) };
    const received = await runs.inputs.send(c.req.param('runId'), said);
    return c.json(received, received.duplicate ? 200 : 202);
  });

  return app;
}

const REFUSALS = [
  ...(['run_not_found', 'run_deleted', 'run_closed', 'invalid_json', 'too_deep', 'batch_too_large'] as const),
  ...(['event_too_large', 'unsupported_media_type', 'idempotency_conflict', 'overloaded', 'storage_full'] as const),
];

export const peopleOperations: Operations = {
  'POST /v1/runs/{runId}/approvals/{approvalId}': {
    id: 'answerApproval',
    group: 'Runs',
    needs: 'control',
    summary: 'Answer what a run asks',
    description:
      'The first answer counts, whoever gives it. `decision` is one of the `options` of its `approval.requested`; without any, `approve` or `deny`. Whoever comes second is told what was decided, and by whom.',
    headers: IdempotencyHeaders,
    body: { json: AnswerRequest },
    answers: {
      200: {
        description: 'It is the answer: `approval.resolved` is in the log, and the run goes on with it.',
        json: AnsweredApproval,
        example: { approvalId: 'deploy', status: 'resolved', decision: 'approve', by: 'ada', seq: 9 },
      },
    },
    refuses: [...REFUSALS, 'approval_not_found', 'already_decided', 'approval_expired'],
    examples: [
      {
        path: { runId: 'job', approvalId: 'deploy' },
        body: { decision: 'deny', comment: 'Not on a Friday', by: 'ada' },
      },
    ],
  },
  'POST /v1/runs/{runId}/input': {
    id: 'sendInput',
    group: 'Runs',
    needs: 'control',
    summary: 'Say something to a run',
    description:
      'Writes `input.received`. An agent that listens gets it, from the beginning of the run on; one that is queued when it begins.',
    headers: IdempotencyHeaders,
    body: { json: InputRequest },
    answers: {
      202: {
        description: 'It is in the log. Whether anybody listens is up to the run.',
        json: ReceivedInput,
        example: { inputId: 'p2m8x0c4v7b1n5k9', seq: 9 },
      },
      200: {
        description: 'Its `Idempotency-Key` said it before.',
        json: ReceivedInput,
        example: { inputId: 'p2m8x0c4v7b1n5k9', seq: 9, duplicate: true },
      },
    },
    refuses: [...REFUSALS, 'run_full'],
    examples: [{ path: { runId: 'job' }, body: { input: 'Only the last quarter, please', by: 'ada' } }],
  },
};
