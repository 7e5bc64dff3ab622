import { stepCountIs, ToolLoopAgent, type ToolSet, tool } from 'ai';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { currentRun } from '../current.ts';
import type { Answer, ChatRequest } from '../openai-stub.fixture.ts';
import { aiSdk } from './index.ts';
import { play, type Scene, weather } from './scenario.fixture.ts';

const integrations = aiSdk();
const NAMES = ['Documents', 'Risks', 'History'];

/** The triage asks all specialists at once; each looks up the weather, under the same tool call id, and answers. */
function script({ messages }: ChatRequest): Answer {
  const me = String(messages[0]!.content);
  const knows = messages.some((it) => it.role === 'tool');
  if (knows) return { reasoning: `${me} has thought.`, text: `${me} is done.` };
  if (me !== 'Triage') return { tools: [{ id: 'call', name: 'weather', args: { city: me } }] };
  return { tools: NAMES.map((name) => ({ id: `ask-${name}`, name, args: { question: `For ${name}` } })) };
}

const agent = ({ model, run }: Scene, name: string, tools: ToolSet) => {
  const it = new ToolLoopAgent({
    model,
    instructions: name,
    tools,
    stopWhen: stepCountIs(5),
    telemetry: { functionId: name, integrations },
  });
  return {
    generate: async (prompt: string) => (await it.generate({ prompt, abortSignal: run.signal })).text,
    stream: async (prompt: string) => (await it.stream({ prompt, abortSignal: run.signal })).text,
  };
};

test.each(['generate', 'stream'] as const)(
  'agents called as tools, in parallel (%s), stand under their caller',
  async (way) => {
    const { run, left, events } = await play(script, (scene) => {
      const inputSchema = z.object({ question: z.string() });
      const specialists = NAMES.map((name) => {
        const execute = ({ question }: { question: string }) => {
          currentRun()?.custom('asked', name);
          return agent(scene, name, { weather })[way](question);
        };
        return [name, tool({ inputSchema, execute })];
      });
      return agent(scene, 'Triage', Object.fromEntries(specialists))[way]('Is it warm?');
    });
    expect(left).toEqual([]);
    expect(run).toMatchObject({ status: 'completed', output: 'Triage is done.', errors: [] });
    expect(run.agents.map(({ path, input, output }) => [path, input, output])).toEqual([
      ['triage-1', 'Is it warm?', 'Triage is done.'],
      ['triage-1/documents-1', 'For Documents', 'Documents is done.'],
      ['triage-1/risks-1', 'For Risks', 'Risks is done.'],
      ['triage-1/history-1', 'For History', 'History is done.'],
    ]);
    // What a tool tells by itself is the agent's that called it.
    const asked = events.filter((it) => it.type === 'custom');
    expect(asked.map((it) => [it.agent?.name, it.data.value])).toEqual(NAMES.map((name) => ['Triage', name]));
    // The same id in three agents: three calls.
    const calls = run.tools.filter((it) => it.id === 'call');
    expect(calls.map((it) => [it.agentId, it.args, it.status]).sort()).toEqual([
      ['documents-1', { city: 'Documents' }, 'completed'],
      ['history-1', { city: 'History' }, 'completed'],
      ['risks-1', { city: 'Risks' }, 'completed'],
    ]);
    // Every text under the agent that said it, in one piece.
    for (const name of ['Triage', ...NAMES]) {
      const id = `${name.toLowerCase()}-1`;
      expect(run.messages.filter((it) => it.agentId === id).map((it) => it.text)).toEqual([`${name} is done.`]);
      expect(run.reasoning.filter((it) => it.agentId === id).map((it) => it.text)).toEqual([`${name} has thought.`]);
    }
    // A specialist has ended before its caller is told what it said.
    const order = events.map(
      (it) => `${it.agent?.id} ${it.type} ${(it.data as { toolCallId?: string }).toolCallId ?? ''}`,
    );
    for (const name of NAMES) {
      const ended = order.indexOf(`${name.toLowerCase()}-1 agent.completed `);
      expect(ended).toBeGreaterThan(0);
      expect(order.indexOf(`triage-1 tool.completed ask-${name}`)).toBeGreaterThan(ended);
    }
  },
);

test('an agent within run.agent() and run.tool() stands under these', async () => {
  const { run } = await play(script, (scene) =>
    scene.run.agent('Office', () =>
      scene.run.tool('ask', {}, () => agent(scene, 'Clerk', { weather }).stream('Warm?')),
    ),
  );
  expect(run.agents.map((it) => it.path)).toEqual(['office-1', 'office-1/clerk-1']);
});
