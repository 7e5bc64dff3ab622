import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { workflow as dialect } from '../../dialects/index.ts';
import type { Log, RunRecord } from '../../log/index.ts';
import { isEnded, TelltaleError } from '../../protocol/index.ts';
import type { StartRequest } from '../../runs/index.ts';
import { byOf } from '../access/index.ts';
import { readBody } from '../body.ts';
import type { RouteContext } from '../context.ts';
import { IdempotencyHeaders, readIdempotencyKey } from '../idempotency-key.ts';
import { findRun } from '../lookup.ts';
import { type Operations, ResumeHeaders } from '../openapi/operation.ts';
import { readQuery } from '../query.ts';
import { CommandRequest, NoQuery } from '../schemas.ts';
import { stream } from '../stream.ts';
import { toRequest } from '../stream-request.ts';
import { type Door, type DoorOptions, DoorQuery, streaming } from './door.ts';

const TASKS = '/api/v1/agents/:agentId/tasks';
const TASK = `${TASKS}/:taskId`;

const CreateTask = z.strictObject({
  description: z
    .string()
    .trim()
    .min(1)
    .max(65_536)
    .describe('What is to be done. Alone, it is what the agent is given.'),
  parameters: z
    .record(z.string(), z.unknown())
    .exactOptional()
    .describe('With them, the agent is given `{description, parameters}`.'),
});

const status = z.enum(['queued', 'running', 'paused', 'completed', 'failed', 'cancelled']);
const WorkflowTask = z.object({
  id: z.string(),
  task_id: z.string().describe('The id of its run.'),
  agent_id: z.string(),
  status,
  events_url: z.string().describe('Where its events are streamed.'),
});
const WorkflowCommand = z.object({
  task_id: z.string(),
  status,
  command_id: z.string().exactOptional().describe('Absent where there was nothing left to do.'),
});
const WorkflowEvent = z
  .looseObject({
    type: z.string().describe('The name of the event.'),
    task_id: z.string(),
    timestamp: z.iso.datetime().exactOptional(),
  })
  .describe('One of the thirteen events, or `heartbeat`.');

const WorkflowQuery = DoorQuery.extend({
  include_history: z
    .enum(['true', 'false'])
    .transform((it) => it === 'true')
    .exactOptional()
    .describe('`false`: only what happens from now on. A cursor wins over it.'),
});

/** What may be asked of a task, each at an address of its own. */
const COMMANDS = ['cancel', 'pause', 'resume'] as const;

/** Tasks of agents, and what they cost (docs/doors/workflow.md). A task is a run that has its thread to itself. */
export const workflow: Door = {
  routes(context, options) {
    const { log, hub, runs, limits, access } = context;
    const app = new Hono();
    const rules = { maxBytes: limits.batchBytes, maxDepth: limits.jsonDepth };

    app.post(TASKS, async (c) => {
      readQuery(c, NoQuery);
      const key = readIdempotencyKey(c);
      const { description, parameters } = await readBody(c, { ...rules, schema: CreateTask });
      const agentId = c.req.param('agentId');
      const request = {
        ...agentFor(context, options, agentId),
        ...access.ownerOf(c),
        input: parameters === undefined ? description : { description, parameters },
        ...(key !== undefined && { idempotencyKey: key }),
      };
      const started = await runs.start(request, access.admit(c)).catch((error) => {
        throw access.explain(c, error);
      });
      const { runId, duplicate } = started;
      const self = `/api/v1/agents/${encodeURIComponent(agentId)}/tasks/${runId}`;
      const about = { id: runId, task_id: runId, agent_id: agentId, status: started.status };
      return c.json({ ...about, events_url: `${self}/events/stream` }, duplicate ? 200 : 201, {
        location: `/v1/runs/${runId}`,
      });
    });

    app.get(
      `${TASK}/events/stream`,
      streaming(context, async (c) => {
        const { include_history: hasHistory = true, ...query } = readQuery(c, WorkflowQuery);
        const request = toRequest(c, query, dialect);
        const { runId, threadId, status } = await findTask(log, c);
        // Of a task that has ended its end is new to whoever comes now: without it, EventSource would ask for ever.
        const from = hasHistory ? 'start' : isEnded(status) ? -1 : 'now';
        const permit = access.permit(c, 'read', { runIds: [runId] });
        const ofTask = { ...request, permit, from, threadId, selection: { ...request.selection, runId } } as const;
        return stream(c, (sink) => hub.open(ofTask, sink));
      }),
    );

    for (const command of COMMANDS) {
      app.post(`${TASK}/${command}`, async (c) => {
        readQuery(c, NoQuery);
        const key = readIdempotencyKey(c);
        const { by: said, ...about } = await readBody(c, { ...rules, schema: CommandRequest, absent: {} });
        const by = byOf(c, said);
        const { runId } = await findTask(log, c);
        const request = {
          ...about,
          ...(by !== undefined && { by }),
          command,
          ...(key !== undefined && { idempotencyKey: key }),
        };
        const { status, commandId } = await runs.commands.ask(runId, request);
        const asked = commandId !== undefined;
        return c.json({ task_id: runId, status, ...(asked && { command_id: commandId }) }, asked ? 202 : 200);
      });
    }

    return app;
  },

  schemas: { CreateTask, WorkflowTask, WorkflowCommand, WorkflowEvent },

  operations: {
    'POST /api/v1/agents/{agentId}/tasks': {
      id: 'createTask',
      group: 'Doors',
      needs: 'start',
      summary: 'Give an agent a task',
      description: 'Starts a run of the agent. With an `Idempotency-Key` it is safe to send the same again.',
      headers: IdempotencyHeaders,
      body: { json: CreateTask },
      answers: {
        201: {
          description: 'It runs.',
          headers: { Location: 'Its run.' },
          json: WorkflowTask,
          example: {
            ...{ id: 'r1', task_id: 'r1', agent_id: 'greeter', status: 'running' },
            events_url: '/api/v1/agents/greeter/tasks/r1/events/stream',
          },
        },
        200: { description: 'The key started it before.', headers: { Location: 'Its run.' }, json: WorkflowTask },
      },
      refuses: [
        ...['agent_not_found', 'run_deleted', 'idempotency_conflict', 'invalid_json', 'too_deep'],
        ...['batch_too_large', 'unsupported_media_type', 'overloaded', 'storage_full'],
      ] as const,
      examples: [{ path: { agentId: 'greeter' }, body: { description: 'Ada' } }],
    },
    'GET /api/v1/agents/{agentId}/tasks/{taskId}/events/stream': {
      id: 'streamTaskEvents',
      group: 'Doors',
      needs: { scope: 'read', run: 'taskId' },
      summary: 'Watch a task',
      description: 'What happened, then what happens, then the end. Of this task and no other.',
      query: WorkflowQuery,
      headers: ResumeHeaders,
      answers: {
        200: { description: 'The stream.', frames: { '*': WorkflowEvent } },
        204: { description: 'The cursor is at the end of the task: there is no more, and EventSource stops.' },
      },
      refuses: ['run_not_found', 'run_deleted', 'not_acceptable'],
      examples: [{ path: { agentId: 'greeter', taskId: 'first' } }],
    },
    ...Object.assign({}, ...COMMANDS.map(commandOperation)),
  },
};

function commandOperation(name: (typeof COMMANDS)[number]): Operations {
  return {
    [`POST /api/v1/agents/{agentId}/tasks/{taskId}/${name}`]: {
      id: `${name}Task`,
      group: 'Doors',
      needs: { scope: 'control', run: 'taskId' },
      summary: `Ask a task to ${name}`,
      description: `Writes \`control.requested\` to the log, as \`POST /v1/runs/{runId}/${name}\` does.`,
      headers: IdempotencyHeaders,
      body: { json: CommandRequest, optional: true },
      answers: {
        202: { description: 'It was asked.', json: WorkflowCommand },
        200: { description: 'There was nothing left to do, or the key asked for it before.', json: WorkflowCommand },
      },
      refuses: [
        ...['run_not_found', 'run_deleted', 'invalid_json', 'too_deep', 'batch_too_large', 'unsupported_media_type'],
        ...['idempotency_conflict', 'overloaded', 'storage_full'],
        ...(name === 'cancel' ? [] : (['command_refused'] as const)),
      ] as const,
      examples: [{ path: { agentId: 'worker', taskId: 'job' }, body: { reason: 'No longer needed' } }],
    },
  };
}

/** An agent that is registered goes by its name; any other id is the client's name for the door's agent. */
function agentFor(
  { runs }: RouteContext,
  options: DoorOptions,
  agentId: string,
): Pick<StartRequest, 'agent' | 'metadata'> {
  if (runs.agents.has(agentId)) return { agent: agentId };
  if (options.agent !== undefined) return { agent: options.agent, metadata: { agent_id: agentId } };
  throw new TelltaleError('agent_not_found', `No agent ${JSON.stringify(agentId.slice(0, 64))} is registered here.`);
}

/** @throws {TelltaleError} `run_not_found`, for a task of another agent too; `run_deleted`. */
async function findTask(log: Log, c: Context): Promise<RunRecord> {
  const run = await findRun(log, c.req.param('taskId') as string);
  const agentId = c.req.param('agentId');
  if (run.agent === agentId || (await agentIdOf(log, run)) === agentId) return run;
  throw new TelltaleError('run_not_found', `Agent ${JSON.stringify(agentId?.slice(0, 64))} has no such task.`);
}

/** What the client called the agent, where that is not the agent's name. */
async function agentIdOf(log: Log, { threadId, first }: RunRecord): Promise<unknown> {
  const { blocks } = await log.read(threadId, first - 1, 1);
  const [event] = blocks.flatMap((block) => (block.first <= first && first <= block.last ? block.event(first) : []));
  return (event?.data.metadata as Record<string, unknown> | undefined)?.agent_id;
}
