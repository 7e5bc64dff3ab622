import type { Draft } from '../client/story.ts';

/** Calls of one agent, and the words of each thought before one. */
const CALLS = 8;
const THOUGHT = 'First the documents that name the deadline, then those that name the supplier. '.split(/(?<= )/);
const TOOLS = ['search', 'read', 'list', 'fetch'];

/**
 * What a run tells in which agents work through long lists: each call is a model call, a short thought and a tool call with
 * its result. Hardly anything of it can be merged. It has no end.
 */
export function* toolStory(): Generator<Draft, never> {
  yield { type: 'agent.started', agent: { id: 'triage', name: 'Triage', path: 'triage' }, data: {} };
  for (let turn = 0; ; turn++) {
    const agent = { id: `analyst-${turn}`, name: 'Analyst', path: `triage/analyst-${turn}` };
    const make = (type: string, data: object): Draft => ({ type, agent, data });
    yield make('agent.started', { model: 'large' });
    for (let call = 0; call < CALLS; call++) {
      const tool = { toolCallId: `call-${call}`, name: TOOLS[(turn + call) % TOOLS.length] };
      const reasoning = { reasoningId: `thought-${call}` };
      const model = { callId: `model-${call}` };
      yield make('llm.started', { ...model, model: 'large' });
      yield make('reasoning.started', reasoning);
      for (let word = 0; word < 4; word++) {
        yield make('reasoning.delta', { ...reasoning, delta: THOUGHT[(call + word) % THOUGHT.length] });
      }
      yield make('reasoning.completed', reasoning);
      yield make('llm.completed', { ...model, usage: { inputTokens: 900, outputTokens: 40, totalTokens: 940 } });
      yield make('tool.started', tool);
      yield make('tool.called', { ...tool, args: { query: `deadline of part ${turn}.${call}`, limit: 10 } });
      yield make('tool.completed', { ...tool, result: { documents: THOUGHT.slice(0, 10), turn }, durationMs: 40 });
    }
    yield make('agent.completed', { output: `Part ${turn} is on time.`, durationMs: 900 });
  }
}
