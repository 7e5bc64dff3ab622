import type { EventDraft } from 'telltale';
import { createClient, Producer } from 'telltale/client';

/** As long as names and ids may be. A text that is empty is none. */
const name = (text: string): string => text.slice(0, 256) || '∅';

/** What a producer can say of each thing, with a text in every field that takes one. */
function sayings(text: string, n: number): readonly (readonly EventDraft[])[] {
  const [id, short] = [name(`${n} ${text}`), name(text)];
  const error = { code: short.slice(0, 128), message: text, stack: text };
  // What is a key to one of them is no key to another.
  const value = { [text]: text, list: [text, { [short]: text }], __proto__: text };
  const agent = { id: `a${n}`, name: short, path: `a${n}` };
  return [
    [
      { type: 'agent.started', data: { input: value, model: short }, agent },
      { type: 'agent.failed', data: { error }, agent },
    ],
    [
      { type: 'activity.reported', data: { action: text, status: short, details: value }, agent },
      { type: 'status.updated', data: { status: text, message: text } },
    ],
    [
      { type: 'llm.started', data: { callId: id, model: short, provider: short }, agent },
      { type: 'llm.completed', data: { callId: id, cost: { amount: 0.01, currency: 'USD', source: short } }, agent },
    ],
    [
      { type: 'reasoning.delta', data: { reasoningId: id, delta: text }, agent },
      { type: 'reasoning.completed', data: { reasoningId: id }, agent },
    ],
    [
      { type: 'tool.called', data: { toolCallId: id, name: short, args: value }, agent },
      { type: 'tool.progress', data: { toolCallId: id, progress: 0.5, message: text, partial: value }, agent },
      ...(n % 2 ? [{ type: 'tool.completed', data: { toolCallId: id, result: value }, agent } as const] : []),
    ],
    [
      { type: 'tool.called', data: { toolCallId: `${n} fails`, name: short, args: { text } } },
      { type: 'tool.failed', data: { toolCallId: `${n} fails`, error } },
    ],
    [
      { type: 'tool.called', data: { toolCallId: `${n} denied`, name: short, args: text } },
      { type: 'tool.denied', data: { toolCallId: `${n} denied`, reason: text } },
    ],
    [{ type: 'tool.args.delta', data: { toolCallId: `${n} streams`, delta: text } }],
    [
      { type: 'message.delta', data: { messageId: id, delta: text } },
      { type: 'message.completed', data: { messageId: id } },
    ],
    [
      { type: 'step.started', data: { stepId: id, name: short } },
      { type: 'progress.updated', data: { progress: 0.5, message: text, stepId: id } },
      { type: 'step.failed', data: { stepId: id, error } },
    ],
    [
      { type: 'approval.requested', data: { approvalId: id, prompt: text, options: [short, 'other'] } },
      ...(n % 2
        ? [{ type: 'approval.resolved', data: { approvalId: id, decision: short, by: short, comment: text } } as const]
        : []),
    ],
    [
      { type: 'artifact.added', data: { artifactId: id, name: short, mediaType: short, url: text, content: text } },
      { type: 'source.added', data: { sourceId: id, title: text, url: text, path: text, line: 1, quote: text } },
    ],
    [
      { type: 'error.reported', data: { error } },
      { type: 'custom', data: { name: short, value } },
    ],
  ];
}

/**
 * Writes a run of them, from the name of its agent to the reason of its end.
 *
 * @param share of the fields that each text is in: 3 is a third of them, another third than the text before.
 */
export async function writeHostile(
  url: string,
  runId: string,
  threadId: string,
  texts: readonly string[],
  share: number,
): Promise<void> {
  const [first = '', second = ''] = texts;
  const about = { agent: name(first), input: first, metadata: { title: second, [first]: second } };
  const answer = await fetch(`${url}/v1/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...about, runId, threadId, mode: 'remote' }),
  });
  if (!answer.ok) throw new Error(await answer.text());
  const producer = new Producer(`${url}/v1/runs/${runId}/events`);
  const steps = texts.map((text, i) => ({ id: name(`${i} ${text}`), name: name(text) }));
  await producer.send({ type: 'plan.created', data: { goal: first, steps } });
  for (const [i, text] of texts.entries()) {
    const chosen = sayings(text, i).filter((_, field) => (field + i) % share === 0);
    for (const draft of chosen.flat()) await producer.send(draft);
  }
  await producer.flush();
  const run = createClient({ url }).run(runId);
  await run.input({ [first]: second }, { by: name(second) });
  // Longer reasons are refused.
  await run.pause({ by: name(first), reason: second.slice(0, 4_096) });
  await producer.send({ type: 'run.failed', data: { error: { code: 'x', message: first } } });
  await producer.close();
}
