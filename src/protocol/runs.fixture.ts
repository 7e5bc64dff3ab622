/** Runs as logs hold them, for properties of whatever folds them. */
import * as fc from 'fast-check';
import { parseDraft, type TelltaleEvent } from './event.ts';

/** As it comes out of a log: JSON has no -0. */
const json = (constraints: fc.JsonSharedConstraints = {}) =>
  fc.jsonValue(constraints).map((value) => JSON.parse(JSON.stringify(value)) as unknown);

// Few ids, so that everything meets everything.
const id = fc.constantFrom('1', '2', '3');
export const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const error = fc.record({ code: fc.constant('x'), message: fc.string() });
const count = fc.nat(9);
const usage = fc.record({ inputTokens: count, outputTokens: count, reasoningTokens: count }, { requiredKeys: [] });
const cost = fc.record({ amount: fc.nat(9), currency: fc.constantFrom('EUR', 'USD'), source: fc.constant('s') });
const path = fc.constantFrom('', '/a', '/a/0', '/a/-', '/b', '/__proto__');
const operation = fc.oneof(
  fc.record({ op: fc.constantFrom('add', 'replace', 'test'), path, value: json({ maxDepth: 1 }) }),
  fc.record({ op: fc.constant('remove'), path }),
  fc.record({ op: fc.constantFrom('move', 'copy'), from: path, path }),
);

const said = (
  types: string[],
  data: Record<string, fc.Arbitrary<unknown>>,
  requiredKeys: string[] = Object.keys(data),
) => fc.record({ type: fc.constantFrom(...types), data: fc.record(data, { requiredKeys }) });

const drafts = fc.oneof(
  said(['message.started', 'message.completed'], { messageId: id, text: fc.string() }, ['messageId']),
  said(['message.delta'], { messageId: id, delta: fc.string() }),
  said(['reasoning.delta'], { reasoningId: id, delta: fc.string() }),
  said(['reasoning.started', 'reasoning.completed'], { reasoningId: id }),
  said(['tool.started', 'tool.completed', 'tool.denied'], { toolCallId: id, name: fc.constant('n') }),
  said(['tool.args.delta'], { toolCallId: id, delta: fc.string() }),
  said(['tool.called'], { toolCallId: id, name: fc.constant('n'), args: json({ maxDepth: 1 }) }),
  said(['tool.failed'], { toolCallId: id, error }),
  said(['tool.progress'], { toolCallId: id, message: fc.string() }),
  said(['llm.started'], { callId: id, model: fc.constant('m') }),
  said(['llm.completed'], { callId: id, usage, cost }, ['callId']),
  said(['llm.failed'], { callId: id, error }),
  said(['plan.created', 'plan.updated'], { steps: fc.array(fc.record({ id, name: fc.constant('s') })) }),
  said(['step.started'], { stepId: id, name: fc.constant('s') }),
  said(['step.completed'], { stepId: id, result: fc.nat() }, ['stepId']),
  said(['step.failed'], { stepId: id, error }),
  said(['agent.started', 'agent.completed'], {}),
  said(['agent.failed', 'error.reported'], { error }),
  said(['activity.reported'], { action: fc.string(), status: fc.constant('s') }),
  said(['approval.requested'], { approvalId: id, prompt: fc.string() }),
  said(['approval.resolved'], { approvalId: id, decision: fc.constantFrom('yes', 'no') }),
  said(['approval.expired'], { approvalId: id }),
  said(['input.received'], { input: fc.nat() }),
  said(['control.requested'], { command: fc.constantFrom('cancel', 'pause', 'resume'), commandId: id }),
  said(['run.paused', 'run.resumed'], { commandId: id }, []),
  said(['usage.updated'], { usage, cost }, []),
  said(['budget.set'], { maxCost: count, warnings: fc.nat() }, []),
  said(['budget.warning', 'budget.exceeded'], { limit: fc.constant('cost'), used: count, max: count }),
  said(['state.snapshot'], { state: json({ maxDepth: 2 }) }),
  said(['state.patched'], { patch: fc.array(operation, { maxLength: 3 }) }),
  said(['artifact.added'], { artifactId: id, name: fc.constant('n') }),
  said(['source.added'], { sourceId: id }),
  said(['of.yours'], { any: json() }),
);

const agents = optional(fc.constantFrom('a', 'b').map((name) => ({ id: `${name}-1`, name, path: `root/${name}-1` })));
const terminal = optional(fc.constantFrom('run.completed', 'run.failed', 'run.cancelled'));

/** Runs as logs hold them: accepted events, in order, among the numbers of other runs. */
export const runs = fc
  .record({
    body: fc.array(fc.record({ draft: drafts, agent: agents, gap: fc.constantFrom(0, 0, 0, 4) }), {
      maxLength: 60,
      size: 'max',
    }),
    end: terminal,
  })
  .map(({ body, end }) => {
    let seq = 0;
    const event = (type: string, data: unknown, agent?: object): TelltaleEvent => {
      const draft = parseDraft({ type, data, ...(agent && { agent }) });
      return {
        seq: ++seq,
        epoch: 'e',
        threadId: 't',
        runId: 'r',
        time: new Date(seq * 1000).toISOString(),
        ...draft,
      } as TelltaleEvent;
    };
    const events = [event('run.started', { agent: 'x' })];
    for (const { draft, agent, gap } of body) {
      seq += gap;
      events.push(event(draft.type, draft.data, agent));
    }
    if (end) events.push(event(end, end === 'run.failed' ? { error: { code: 'x', message: '' } } : {}));
    return events.map(deepFreeze);
  });

export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
