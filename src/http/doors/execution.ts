import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { execution as dialectOf } from '../../dialects/index.ts';
import { spelledId } from '../../protocol/index.ts';
import { byOf } from '../access/index.ts';
import { readBody } from '../body.ts';
import { IdempotencyHeaders, readIdempotencyKey } from '../idempotency-key.ts';
import { findRun } from '../lookup.ts';
import { ResumeHeaders } from '../openapi/operation.ts';
import { readQuery } from '../query.ts';
import { CommandRequest, NoQuery } from '../schemas.ts';
import { stream } from '../stream.ts';
import { toRequest } from '../stream-request.ts';
import { agentOf, type Door, DoorQuery, streaming } from './door.ts';

const EXECUTION = '/api/agent/executions/:executionId';

const ExecuteTask = z.strictObject({
  task: z.string().trim().min(1).max(65_536).describe('What is to be done. Alone, it is what the agent is given.'),
  parameters: z
    .record(z.string(), z.unknown())
    .exactOptional()
    .describe('With them, the agent is given `{task, parameters}`.'),
});

const status = z.enum(['queued', 'running', 'paused', 'completed', 'failed', 'cancelled']);
const Execution = z.object({
  id: z.string(),
  executionId: z.string().describe('The id of its run.'),
  status,
  eventsUrl: z.string().describe('Where its events are streamed.'),
});
const ExecutionCancel = z.object({
  executionId: z.string(),
  status,
  commandId: z.string().exactOptional().describe('Absent where there was nothing left to do.'),
});

const text = z.string();
const optional = { any: z.unknown().exactOptional(), text: text.exactOptional() };
const event = <Fields extends z.ZodRawShape>(fields: Fields) =>
  z.object({ executionId: text, timestamp: z.iso.datetime(), ...fields });
const phase = { phaseId: text, phaseName: text };
const tool = { toolName: text, toolCallId: text };
const FRAMES = {
  'execution:started': event({
    task: text,
    startedAt: z.iso.datetime().exactOptional(),
    truncated: z.literal(true).exactOptional().describe('The log no longer has the beginning.'),
    reset: optional.text.describe('Why everything follows again.'),
  }).partial({ timestamp: true }),
  'plan:created': event({
    plan: z.object({ goal: text, phases: z.array(z.object({ id: text, name: text })) }),
  }),
  'phase:start': event({ ...phase, phaseIndex: z.int() }),
  thinking: event({ thought: text, iteration: z.int().describe('1, 2, 3 … of the execution.') }),
  'tool:start': event({ ...tool, params: z.unknown() }),
  'tool:complete': event({ ...tool, result: optional.any, duration: z.number().describe('Milliseconds.') }),
  'phase:complete': event({ ...phase, result: optional.any, error: optional.text }),
  'execution:complete': event({
    ...{ result: optional.any, duration: z.number().describe('Milliseconds.') },
    tokensUsed: z.number().describe('As far as it was told.'),
  }),
  'execution:error': event({
    ...{ error: text, code: text, reason: optional.text },
    stack: text.describe('Empty, but where the server keeps stacks.'),
  }).partial({ timestamp: true }),
};

/** One execution of an agent, from its plan to its result (docs/doors/execution.md). An execution is a run. */
export const execution: Door = {
  routes(context, options) {
    const { log, hub, runs, limits, access } = context;
    const app = new Hono();
    const rules = { maxBytes: limits.batchBytes, maxDepth: limits.jsonDepth };
    const idOf = (c: Context) => c.req.param('executionId') as string;

    app.post('/api/agent/execute', async (c) => {
      readQuery(c, NoQuery);
      const key = readIdempotencyKey(c);
      const { task, parameters } = await readBody(c, { ...rules, schema: ExecuteTask });
      const request = {
        ...access.ownerOf(c),
        agent: agentOf(context, options, 'execution'),
        input: parameters === undefined ? task : { task, parameters },
        ...(key !== undefined && { idempotencyKey: key }),
      };
      const { runId, duplicate, ...started } = await runs.start(request, access.admit(c)).catch((error) => {
        throw access.explain(c, error);
      });
      const about = { id: runId, executionId: runId, status: started.status };
      return c.json({ ...about, eventsUrl: `/api/agent/executions/${runId}/events` }, duplicate ? 200 : 201, {
        location: `/v1/runs/${runId}`,
      });
    });

    app.get(
      `${EXECUTION}/events`,
      streaming(context, async (c) => {
        const query = readQuery(c, DoorQuery);
        const { runId, threadId } = await findRun(log, spelledId(idOf(c)));
        const request = toRequest(c, query, dialectOf(runId === idOf(c) ? undefined : idOf(c)));
        const permit = access.permit(c, 'read', { runIds: [runId] });
        const ofExecution = { ...request, permit, threadId, selection: { ...request.selection, runId } };
        return stream(c, (sink) => hub.open(ofExecution, sink));
      }),
    );

    app.post(`${EXECUTION}/cancel`, async (c) => {
      readQuery(c, NoQuery);
      const key = readIdempotencyKey(c);
      const { by: said, ...about } = await readBody(c, { ...rules, schema: CommandRequest, absent: {} });
      const by = byOf(c, said);
      const { runId } = await findRun(log, spelledId(idOf(c)));
      const { status, commandId } = await runs.commands.ask(runId, {
        ...about,
        command: 'cancel',
        ...(by !== undefined && { by }),
        ...(key !== undefined && { idempotencyKey: key }),
      });
      const asked = commandId !== undefined;
      return c.json({ executionId: idOf(c), status, ...(asked && { commandId }) }, asked ? 202 : 200);
    });

    return app;
  },

  // Its front end sends cookies; Vite and Next.js show it there while it is developed.
  cors: { path: '/api/agent/', origins: ['http://localhost:5173', 'http://localhost:3000'], credentials: true },

  schemas: {
    ...{ ExecuteTask, Execution, ExecutionCancel },
    ExecutionStarted: FRAMES['execution:started'],
    ExecutionPlanCreated: FRAMES['plan:created'],
    ExecutionPhaseStart: FRAMES['phase:start'],
    ExecutionThinking: FRAMES.thinking,
    ExecutionToolStart: FRAMES['tool:start'],
    ExecutionToolComplete: FRAMES['tool:complete'],
    ExecutionPhaseComplete: FRAMES['phase:complete'],
    ExecutionComplete: FRAMES['execution:complete'],
    ExecutionError: FRAMES['execution:error'],
  },

  operations: {
    'POST /api/agent/execute': {
      id: 'executeTask',
      group: 'Doors',
      needs: 'start',
      summary: 'Have a task executed',
      description:
        'Starts the agent of this door: the one that the option `doors` names, or the only one that is registered. With an `Idempotency-Key` it is safe to send the same again.',
      headers: IdempotencyHeaders,
      body: { json: ExecuteTask },
      answers: {
        201: {
          description: 'It runs.',
          headers: { Location: 'Its run.' },
          json: Execution,
          example: {
            ...{ id: 'r1', executionId: 'r1', status: 'running' },
            eventsUrl: '/api/agent/executions/r1/events',
          },
        },
        200: { description: 'The key started it before.', headers: { Location: 'Its run.' }, json: Execution },
      },
      refuses: [
        ...['agent_not_found', 'run_deleted', 'idempotency_conflict', 'invalid_json', 'too_deep'],
        ...['batch_too_large', 'unsupported_media_type', 'overloaded', 'storage_full'],
      ] as const,
      examples: [{ body: { task: 'Ada' } }],
    },
    'GET /api/agent/executions/{executionId}/events': {
      id: 'streamExecutionEvents',
      group: 'Doors',
      needs: { scope: 'read', run: 'executionId' },
      summary: 'Watch an execution',
      description: 'What happened, then what happens, then the end, after which the connection closes.',
      query: DoorQuery,
      headers: ResumeHeaders,
      answers: {
        200: { description: 'The stream.', frames: FRAMES },
        204: { description: 'The cursor is at the end of the execution: there is no more, and EventSource stops.' },
      },
      refuses: ['run_not_found', 'run_deleted', 'not_acceptable'],
      examples: [{ path: { executionId: 'first' } }],
    },
    'POST /api/agent/executions/{executionId}/cancel': {
      id: 'cancelExecution',
      group: 'Doors',
      needs: { scope: 'control', run: 'executionId' },
      summary: 'Ask an execution to stop',
      description: 'Writes `control.requested` to the log, as `POST /v1/runs/{runId}/cancel` does.',
      headers: IdempotencyHeaders,
      body: { json: CommandRequest, optional: true },
      answers: {
        202: { description: 'It was asked.', json: ExecutionCancel },
        200: { description: 'There was nothing left to do, or the key asked for it before.', json: ExecutionCancel },
      },
      refuses: [
        ...['run_not_found', 'run_deleted', 'invalid_json', 'too_deep', 'batch_too_large', 'unsupported_media_type'],
        ...['idempotency_conflict', 'overloaded', 'storage_full'],
      ] as const,
      examples: [{ path: { executionId: 'job' }, body: { reason: 'No longer needed' } }],
    },
  },
};
