/** A draft of an event, as producers append it. */
export interface Draft {
  readonly type: string;
  readonly agent?: { readonly id: string; readonly name: string; readonly path: string };
  readonly data: object;
}

const WORDS =
  'The report names three risks: the deadline of the second phase, a supplier without replacement, and costs that grow faster than planned. '.split(
    /(?<= )/,
  );
const THOUGHTS = 30;
const ARGUMENTS = 6;
const ANSWERS = 56;
/**
 * What a run tells in which an agent hands its work to others, one after the other: each thinks, calls a tool and answers,
 * a word per event, as models stream. Nine of ten events are deltas. It has no end.
 */
export function* story(): Generator<Draft, never> {
  yield { type: 'agent.started', agent: { id: 'triage', name: 'Triage', path: 'triage' }, data: {} };
  for (let turn = 0; ; turn++) {
    const agent = { id: `analyst-${turn}`, name: 'Analyst', path: `triage/analyst-${turn}` };
    const make = (type: string, data: object): Draft => ({ type, agent, data });
    const words = (type: string, id: object, count: number): Draft[] =>
      Array.from({ length: count }, (_, i) => make(type, { ...id, delta: WORDS[i % WORDS.length] }));
    const [reasoning, tool, call] = [
      { reasoningId: 'think' },
      { toolCallId: 'look', name: 'search' },
      { callId: 'model' },
    ];
    yield make('agent.started', { model: 'large' });
    yield make('llm.started', { ...call, model: 'large' });
    yield make('reasoning.started', reasoning);
    yield* words('reasoning.delta', reasoning, THOUGHTS);
    yield make('reasoning.completed', reasoning);
    yield make('tool.started', tool);
    yield* words('tool.args.delta', { toolCallId: tool.toolCallId }, ARGUMENTS);
    yield make('tool.called', { ...tool, args: { query: `risks of phase ${turn}`, limit: 10 } });
    yield make('tool.completed', { ...tool, result: { documents: WORDS.slice(0, 12), turn }, durationMs: 40 });
    yield make('message.started', { messageId: 'answer', role: 'assistant' });
    yield* words('message.delta', { messageId: 'answer' }, ANSWERS);
    yield make('message.completed', { messageId: 'answer' });
    yield make('llm.completed', { ...call, usage: { inputTokens: 900, outputTokens: 92, totalTokens: 992 } });
    yield make('activity.reported', { action: 'reading', status: 'done', details: `phase ${turn}` });
    yield make('agent.completed', { output: 'Three risks.', durationMs: 900 });
  }
}
