/** The snapshot of a run as a schema; `satisfies` keeps it in step with the fold. */
import { z } from 'zod';
import { eventData, type RunSnapshot as Snapshot } from '../protocol/index.ts';

const any = z.unknown();
const seq = z.int().min(1);
const time = z.iso.datetime();
const error = eventData['run.failed'].shape.error;
const { usage, cost } = eventData['usage.updated'].shape;
const SPAN = ['running', 'completed', 'failed', 'interrupted'] as const;

const span = {
  status: z.enum(SPAN).describe('`interrupted`: the run ended first.'),
  startSeq: seq,
  endSeq: seq.exactOptional(),
  startedAt: time,
  endedAt: time.exactOptional(),
  durationMs: z.number().exactOptional().describe('As the producer measured it.'),
  error: error.exactOptional(),
  agentId: z.string().exactOptional().describe('The invocation of the agent it belongs to; absent for the run itself.'),
};
const named = { ...span, id: z.string(), name: z.string() };
const text = { ...span, id: z.string(), text: z.string() };

export const Agent = z.object({
  ...named,
  path: z.string(),
  parentId: z.string().exactOptional(),
  model: z.string().exactOptional(),
  input: any.exactOptional(),
  output: any.exactOptional(),
});

export const Step = z.object({
  ...named,
  status: z.enum([...SPAN, 'pending']),
  startSeq: seq.exactOptional(),
  startedAt: time.exactOptional(),
  result: any.exactOptional(),
});

export const Thought = z.object(text);
export const Message = z.object({ ...text, role: z.string() });

export const ToolCall = z.object({
  ...named,
  status: z.enum([...SPAN, 'denied']),
  argsText: z.string().describe('As streamed; whole once `args` is there.'),
  args: any.exactOptional(),
  result: any.exactOptional(),
  progress: eventData['tool.progress'].exactOptional(),
  reason: z.string().exactOptional(),
});

export const ModelCall = z.object({
  ...span,
  id: z.string(),
  model: z.string(),
  provider: z.string().exactOptional(),
  usage,
  cost,
});

export const Approval = z.object({
  id: z.string(),
  status: z.enum(['requested', 'resolved', 'expired']),
  prompt: z.string(),
  seq,
  askedAt: time,
  toolCallId: z.string().exactOptional(),
  options: z.array(z.string()).exactOptional(),
  expiresAt: z.string().exactOptional(),
  decision: z.string().exactOptional(),
  by: z.string().exactOptional(),
  comment: z.string().exactOptional(),
  endSeq: seq.exactOptional().describe('Of the answer, or of its expiry.'),
  endedAt: time.exactOptional(),
  agentId: z.string().exactOptional(),
});

export const Command = z.object({
  id: z.string(),
  command: z.enum(['cancel', 'pause', 'resume']),
  status: z
    .enum(['requested', 'overdue', 'applied', 'refused', 'void'])
    .describe('`overdue`: nothing has followed it in time; `void`: the run ended before it could be followed.'),
  seq,
  askedAt: time,
  endSeq: seq.exactOptional().describe('Of what applied or refused it, or of the end of the run.'),
  endedAt: time.exactOptional(),
  by: z.string().exactOptional(),
  reason: z.string().exactOptional(),
  error: error.exactOptional().describe('Why it was refused.'),
});

export const Budget = z.looseObject({
  ...eventData['budget.set'].shape,
  warnings: z.array(eventData['budget.warning']),
  exceeded: eventData['budget.exceeded'].exactOptional(),
});

/** The fold of all events of a run. */
export const RunSnapshot = z.object({
  runId: z.string(),
  threadId: z.string(),
  seq: z.int().min(0).describe('Number of the last event folded in; with `epoch` the cursor from which to go on.'),
  epoch: z.string(),
  events: z.int().min(0),
  status: z.enum(['queued', 'running', 'paused', 'completed', 'failed', 'cancelled']),
  agent: z.string().exactOptional(),
  mode: z.enum(['local', 'remote']).exactOptional(),
  parentRunId: z.string().exactOptional(),
  input: any.exactOptional(),
  metadata: z.record(z.string(), any).exactOptional(),
  output: any.exactOptional(),
  error: error.exactOptional(),
  queuedAt: time.exactOptional(),
  position: z.int().min(0).exactOptional().describe('How many runs are before it in the queue.'),
  startedAt: time.exactOptional(),
  endedAt: time.exactOptional(),
  durationMs: z.number().exactOptional(),
  statusText: z.string().exactOptional(),
  progress: eventData['progress.updated'].exactOptional(),
  plan: z.object({ goal: z.string().exactOptional(), stepIds: z.array(z.string()) }).exactOptional(),
  steps: z.array(Step),
  agents: z.array(Agent),
  reasoning: z.array(Thought),
  messages: z.array(Message),
  tools: z.array(ToolCall),
  llmCalls: z.array(ModelCall),
  activities: z.array(eventData['activity.reported'].extend({ seq, agentId: z.string().exactOptional() })),
  approvals: z.array(Approval),
  inputs: z.array(eventData['input.received'].extend({ seq, receivedAt: time })),
  commands: z.array(Command),
  usage,
  cost,
  budget: Budget.exactOptional(),
  errors: z.array(error.extend({ seq, agentId: z.string().exactOptional() })),
  state: any.exactOptional(),
  artifacts: z.array(eventData['artifact.added']),
  sources: z.array(eventData['source.added']),
}) satisfies z.ZodType<Snapshot>;

/** What GET /v1/runs/{runId} answers. */
export const RunAnswer = RunSnapshot.extend({ cursor: z.string().describe('Go on after it.') });
