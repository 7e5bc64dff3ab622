import { z } from 'zod';
import { cost, data, durationMs, entityId, errorInfo, name, text, usage, value } from './shared.ts';

const step = data({
  id: entityId,
  name,
  status: z.enum(['pending', 'running', 'completed', 'failed']).exactOptional(),
});

/** Plan, steps and progress. */
export const planEvents = {
  'plan.created': data({ goal: text.exactOptional(), steps: z.array(step) }),
  /** The whole plan anew; steps keep their ids. */
  'plan.updated': data({ goal: text.exactOptional(), steps: z.array(step) }),
  'step.started': data({ stepId: entityId, name, index: z.int().nonnegative().exactOptional() }),
  'step.completed': data({ stepId: entityId, result: value.exactOptional(), durationMs: durationMs.exactOptional() }),
  'step.failed': data({ stepId: entityId, error: errorInfo, durationMs: durationMs.exactOptional() }),
  /** `progress` is a part of 1. */
  'progress.updated': data({
    progress: z.number().min(0).max(1),
    message: text.exactOptional(),
    stepId: entityId.exactOptional(),
  }),
};

/** Agents and what they say of themselves. Which invocation is meant stands in the envelope's `agent`. */
export const agentEvents = {
  'agent.started': data({
    input: value.exactOptional(),
    model: name.exactOptional(),
    /** The run that does its work, where that is one of its own. */
    childRunId: name.exactOptional(),
  }),
  'agent.completed': data({
    output: value.exactOptional(),
    usage: usage.exactOptional(),
    durationMs: durationMs.exactOptional(),
  }),
  'agent.failed': data({ error: errorInfo, durationMs: durationMs.exactOptional() }),
  'activity.reported': data({ action: text, status: name, details: value.exactOptional() }),
  'status.updated': data({ status: text, message: text.exactOptional() }),
};

/** Calls of a language model. */
export const modelEvents = {
  'llm.started': data({
    callId: entityId,
    model: name,
    provider: name.exactOptional(),
    estimatedCost: cost.exactOptional(),
  }),
  'llm.completed': data({
    callId: entityId,
    model: name.exactOptional(),
    provider: name.exactOptional(),
    usage: usage.exactOptional(),
    cost: cost.exactOptional(),
    durationMs: durationMs.exactOptional(),
  }),
  'llm.failed': data({ callId: entityId, error: errorInfo, durationMs: durationMs.exactOptional() }),
};

/** Tool calls. A call is known by (run, agent, toolCallId): local models repeat ids between agents. */
export const toolEvents = {
  'tool.started': data({ toolCallId: entityId, name }),
  'tool.args.delta': data({ toolCallId: entityId, delta: text }),
  'tool.called': data({ toolCallId: entityId, name, args: value }),
  'tool.progress': data({
    toolCallId: entityId,
    progress: z.number().min(0).max(1).exactOptional(),
    message: text.exactOptional(),
    partial: value.exactOptional(),
  }),
  'tool.completed': data({
    toolCallId: entityId,
    name: name.exactOptional(),
    result: value.exactOptional(),
    durationMs: durationMs.exactOptional(),
  }),
  'tool.failed': data({
    toolCallId: entityId,
    name: name.exactOptional(),
    error: errorInfo,
    durationMs: durationMs.exactOptional(),
  }),
  'tool.denied': data({ toolCallId: entityId, name: name.exactOptional(), reason: text.exactOptional() }),
};
