/** What answers say: the other half of schemas.ts. The test of GET /openapi.json holds real answers against them. */
import { z } from 'zod';
import {
  agentRef,
  ERROR_CODES,
  eventData,
  HEARTBEAT_MS,
  runFileHeaderSchema,
  type StreamBye,
  type StreamEnded,
  type StreamHello,
  type StreamProgress,
  type StreamRefused,
  type StreamReset,
  type StreamRevoked,
} from '../protocol/index.ts';
import { SCOPES } from './access/principal.ts';

const id = z.string();
const seq = z.int().min(1);
const time = z.iso.datetime();
const cursor = z.string().max(64).describe('Names the last event that this answer tells of, or wrote: go on after it.');
const epoch = z.string().describe('Which incarnation of the log gave the numbers out.');
const status = z.enum(['queued', 'running', 'paused', 'completed', 'failed', 'cancelled']);

/** RFC 9457. */
export const Problem = z
  .looseObject({
    type: z.string().describe('`urn:telltale:error:` and the code.'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('What is wrong and what to do. For people: texts may change.'),
    code: z.enum(ERROR_CODES).describe('The closed set. It decides the status.'),
    retryable: z.boolean().describe('Whether the same request may succeed later.'),
  })
  .describe('Why a request was refused: problem details (RFC 9457), with particulars of the code beside them.');

export const StartedRun = z.object({
  runId: id,
  threadId: id,
  status,
  position: z.int().min(0).exactOptional().describe('How many runs are before it, where it is `queued`.'),
  cursor,
  links: z.object({ self: z.string(), stream: z.string(), events: z.string(), cancel: z.string() }),
  duplicate: z.literal(true).exactOptional().describe('The key started it before; `status` is that of now.'),
});

export const RunSummary = z.object({
  runId: id,
  threadId: id,
  agent: z.string(),
  status,
  createdAt: time,
  first: seq.describe('Number of its first event.'),
  last: seq.exactOptional().describe('Number of its terminal event.'),
  endedAt: time.exactOptional(),
  events: z.int().min(0).describe('How many it has.'),
  parentRunId: id.exactOptional(),
  waiting: z.int().min(1).exactOptional().describe('How many of its questions wait for an answer. Absent: none.'),
  title: z
    .string()
    .exactOptional()
    .describe('`metadata.title`, else the beginning of its input: one line of 120 characters at most.'),
  lastAt: time.exactOptional().describe('`time` of its last event.'),
  step: z
    .object({
      name: z.string(),
      index: seq.describe('From 1; in the plan, where it stands there.'),
      total: seq.exactOptional().describe('How many the plan has.'),
    })
    .exactOptional()
    .describe('The step under way, or the last one begun.'),
  agents: z.int().min(0).exactOptional().describe('How many agents it has invoked.'),
  errors: z.int().min(0).exactOptional().describe('How many of its events told of an error.'),
  cost: eventData['usage.updated'].shape.cost.describe('So far; absent where it is not known.'),
});

export const RunList = z.object({
  runs: z.array(RunSummary).describe('Newest first.'),
  next: z.string().exactOptional().describe('For `before`; absent on the last page.'),
});

export const Event = z
  .looseObject({
    seq: seq.describe('1, 2, 3 … in its thread, without holes.'),
    prev: z
      .int()
      .min(0)
      .exactOptional()
      .describe('In a view that leaves events out: the number before. Absent: seq - 1.'),
    first: seq.exactOptional().describe('Of merged deltas: the number of the first.'),
    count: z.int().min(1).exactOptional().describe('Of merged deltas: how many they are.'),
    epoch,
    threadId: id,
    runId: id,
    type: z.string(),
    time: time.describe('Informative; the order is `seq`.'),
    agent: agentRef.exactOptional(),
    parentRunId: id.exactOptional(),
    traceparent: z.string().exactOptional(),
    data: z.record(z.string(), z.unknown()),
  })
  .describe('An event as it stands in the log. Types that are not listed may come; keep them or pass them over.');

export const EventPage = z.object({
  events: z.array(Event),
  cursor,
  more: z.boolean().describe('Whether there is more now.'),
  ended: z.boolean().exactOptional().describe('That no more will come. Of a run only.'),
});

export const Acknowledgement = z.object({
  runId: id.exactOptional().describe('Where the events went. Of an append to a thread only.'),
  epoch,
  first: seq,
  last: seq,
  cursor,
  duplicate: z.literal(true).exactOptional().describe('It was stored before: these are its numbers.'),
  commands: z
    .array(eventData['control.requested'])
    .exactOptional()
    .describe('What the run was asked for and has not done yet, oldest first.'),
});

/** NDJSON has no status line for each line. */
export const AcknowledgementOrProblem = z.union([Acknowledgement, Problem]);

/** A line of a run's file. */
export const RunFileLine = z
  .union([runFileHeaderSchema, Event])
  .describe('The first line says what the file is; every other is an event, as pages give them.');

export const ImportedOrProblem = z
  .union([
    Acknowledgement.omit({ commands: true }).extend({
      runId: id,
      threadId: id,
      status: status.exactOptional().describe('With the last line: how the run ended. It is whole now.'),
    }),
    Problem,
  ])
  .describe('A batch is stored, or why nothing more is.');

export const CommandOutcome = z.object({
  status: status.describe('Of the run, now: whether the command is followed, its events tell.'),
  commandId: z.string().exactOptional().describe('Absent where there was nothing left to do.'),
  seq: seq.exactOptional().describe('Number of the `control.requested` event.'),
  duplicate: z.literal(true).exactOptional().describe('The key asked for it before.'),
});

export const AnsweredApproval = z.object({
  approvalId: z.string(),
  status: z.literal('resolved'),
  decision: z.string(),
  by: z.string().exactOptional(),
  seq: seq.describe('Number of the `approval.resolved` event.'),
  duplicate: z.literal(true).exactOptional().describe('The key gave this answer before.'),
});

export const ReceivedInput = z.object({
  inputId: z.string(),
  seq: seq.describe('Number of the `input.received` event.'),
  duplicate: z.literal(true).exactOptional().describe('The key said it before.'),
});

export const Thread = z.object({
  threadId: id,
  epoch,
  earliest: seq.describe('Oldest number that the log still holds.'),
  latest: z.int().min(0),
  cursor,
});

export const AgentList = z.object({
  agents: z
    .array(
      z.object({
        name: z.string(),
        description: z.string().exactOptional(),
        model: z.string().exactOptional().describe('The one it mainly uses. A label, such as `rules-1 (no LLM)`.'),
      }),
    )
    .describe('By name.'),
});

export const Caller = z.object({
  authentication: z.boolean().describe('Where it is false, everybody who reaches the server may do everything.'),
  principal: z
    .object({
      userId: z.string(),
      tenantId: z.string().exactOptional(),
      scopes: z.array(z.enum(SCOPES)).describe('What they let is in docs/auth.md.'),
    })
    .exactOptional()
    .describe('Absent: you have not said who you are.'),
});

export const Health = z.object({
  status: z.literal('ok'),
  durability: z.string().describe('What an acknowledgement means here: `memory` or `disk`, for example.'),
});

const stream = z.string().exactOptional().describe('Of several streams: which one, `run:<id>` or `thread:<id>`.');

export const StreamHelloData = z.object({
  stream,
  threadId: id,
  runId: id.exactOptional(),
  epoch,
  earliest: seq,
  latest: z.int().min(0),
  heartbeatMs: z.int().describe(`Milliseconds between heartbeat comments; ${HEARTBEAT_MS} by default.`),
}) satisfies z.ZodType<StreamHello>;

export const StreamResetData = z
  .object({
    stream,
    reason: z.enum(['malformed', 'unknown_epoch', 'ahead_of_tail', 'diverged', 'truncated']),
    earliest: seq,
    latest: z.int().min(0),
    shared: z.int().min(0).describe('What you hold beyond this number is void.'),
    after: z.int().min(0).describe('The stream goes on strictly after this number.'),
  })
  .describe('The cursor could not be followed.') satisfies z.ZodType<StreamReset>;

export const StreamProgressData = z.object({
  stream,
  seq: z.int().min(0).describe('Everything up to this number was looked at.'),
}) satisfies z.ZodType<StreamProgress>;

export const StreamEndedData = z.object({
  stream: z.string(),
  reason: z.enum(['ended', 'deleted']),
}) satisfies z.ZodType<StreamEnded>;

export const StreamRefusedData = z.object({
  stream: z.string(),
  code: z.enum(ERROR_CODES),
  detail: z.string(),
}) satisfies z.ZodType<StreamRefused>;

export const StreamByeData = z.object({ reason: z.enum(['ended', 'deleted']) }) satisfies z.ZodType<StreamBye>;

export const StreamRevokedData = z.object({
  reason: z.enum(['revoked', 'expired']).describe('`expired`: whoever has a newer token comes again with it.'),
}) satisfies z.ZodType<StreamRevoked>;

export const ListHelloData = z.object({ heartbeatMs: StreamHelloData.shape.heartbeatMs });

export const ListCaughtUpData = z.object({
  next: z.string().exactOptional().describe('Where older runs begin: for `before` of the list as JSON.'),
});

export const StreamLeftData = z.object({
  runId: id,
  reason: z.enum(['status', 'deleted']).describe('It matches the filters no more, or it is gone.'),
});

export const OpenApi = z.looseObject({
  openapi: z.string(),
  info: z.record(z.string(), z.unknown()),
  paths: z.record(z.string(), z.unknown()),
});
