import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, type LanguageModel, stepCountIs, streamText, ToolLoopAgent, tool } from 'ai';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type RunSnapshot, type RunWriter, type Telltale, telltale } from '../../index.ts';
import { eventsWhen } from '../../runs/watching.fixture.ts';
import { type OpenAiStub, openAiStub } from '../openai-stub.fixture.ts';
import { aiSdk, aiSdkApproval } from './index.ts';

const telemetry = { functionId: 'Janitor', integrations: aiSdk() };
/** What was deleted. */
let deleted: string[];
const deleteFile = tool({
  inputSchema: z.object({ path: z.string() }),
  execute: async ({ path }) => {
    deleted.push(path);
    return 'gone';
  },
});
const options = { prompt: 'Tidy up.', tools: { deleteFile }, stopWhen: stepCountIs(5), telemetry };
const must = aiSdkApproval({ deleteFile: 'user-approval' });

let stub: OpenAiStub;
let app: Telltale;
let url: string;
let agent: (model: LanguageModel, run: RunWriter) => unknown;

beforeEach(async () => {
  deleted = [];
  stub = await openAiStub((_request, index) =>
    index === 0 ? { tools: [{ name: 'deleteFile', args: { path: 'a.txt' } }] } : { text: 'Done.' },
  );
  const provider = createOpenAICompatible({ name: 'stub', baseURL: stub.url, includeUsage: true });
  app = telltale({ store: 'memory:' });
  app.agent('janitor', (run) => agent(provider('model-1'), run));
  ({ url } = await app.listen(0));
});

afterEach(async () => {
  await app.close();
  await stub.close();
});

async function until(runId: string, type: string): Promise<RunSnapshot> {
  await eventsWhen(await app.log(), runId, (events) => events.some((it) => it.type === type));
  return (await fetch(`${url}/v1/runs/${runId}`)).json() as Promise<RunSnapshot>;
}

async function answer(runId: string, approvalId: string, body: object): Promise<number> {
  const headers = { 'content-type': 'application/json' };
  const path = `${url}/v1/runs/${runId}/approvals/${approvalId}`;
  return (await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })).status;
}

const WAYS: [string, typeof agent][] = [
  ['generateText', (model) => generateText({ ...options, model, toolApproval: must }).then(({ text }) => text)],
  ['streamText', (model) => streamText({ ...options, model, toolApproval: must }).text],
  [
    'a tool’s own needsApproval',
    (model) =>
      generateText({
        ...{ ...options, model, toolApproval: aiSdkApproval() },
        tools: { deleteFile: { ...deleteFile, needsApproval: async ({ path }: { path: string }) => path === 'a.txt' } },
      }).then(({ text }) => text),
  ],
  [
    'an agent, by a function for all tools',
    (model) =>
      new ToolLoopAgent({ ...options, model, toolApproval: aiSdkApproval(async () => ({ type: 'user-approval' })) })
        .stream({ prompt: 'Tidy up.' })
        .then(({ text }) => text),
  ],
];

describe.each(WAYS)('a tool that needs approval waits for people: %s', (_name, does) => {
  test.each([
    ['approve', ['a.txt'], { status: 'completed', result: 'gone' }],
    ['deny', [], { status: 'denied', reason: 'Not today.' }],
  ])('%s', async (decision, gone, outcome) => {
    agent = does;
    const { runId } = await app.start({ agent: 'janitor' });
    const asked = await until(runId, 'approval.requested');
    expect(asked.approvals).toMatchObject([
      { prompt: 'May deleteFile be called?', toolCallId: 'call_0', agentId: 'janitor-1', status: 'requested' },
    ]);
    expect([stub.requests.length, deleted]).toEqual([1, []]);
    expect(await answer(runId, asked.approvals[0]!.id, { decision, by: 'ann', comment: 'Not today.' })).toBe(200);
    const run = await until(runId, 'run.completed');
    expect(deleted).toEqual(gone);
    expect(run).toMatchObject({ output: 'Done.', tools: [outcome], errors: [] });
    expect(run.approvals).toMatchObject([{ status: 'resolved', decision, by: 'ann' }]);
    // What the model was told of it.
    const [last] = stub.requests[1]!.messages.slice(-1);
    expect(JSON.stringify(last)).toContain(decision === 'approve' ? 'gone' : 'Not today.');
  });
});

test('silence is a no, where the time is limited', async () => {
  agent = (model) =>
    generateText({
      ...options,
      model,
      toolApproval: aiSdkApproval({ deleteFile: 'user-approval' }, { expiresIn: 20 }),
    });
  const { runId } = await app.start({ agent: 'janitor' });
  const run = await until(runId, 'run.completed');
  expect(run).toMatchObject({ tools: [{ status: 'denied' }], approvals: [{ status: 'expired' }] });
  expect(deleted).toEqual([]);
});

test('cancelled while it waits, the tool is not called and the model not asked again', async () => {
  agent = WAYS[0]![1];
  const { runId } = await app.start({ agent: 'janitor' });
  await until(runId, 'approval.requested');
  await fetch(`${url}/v1/runs/${runId}/cancel`, { method: 'POST' });
  const run = await until(runId, 'run.cancelled');
  expect(run).toMatchObject({ tools: [{ status: 'interrupted' }], approvals: [{ status: 'expired' }] });
  expect([stub.requests.length, deleted]).toEqual([1, []]);
});

test('the program’s own decisions ask nobody', async () => {
  agent = (model) => generateText({ ...options, model, toolApproval: aiSdkApproval({ deleteFile: 'approved' }) });
  const { runId } = await app.start({ agent: 'janitor' });
  expect(await until(runId, 'run.completed')).toMatchObject({ approvals: [], tools: [{ status: 'completed' }] });
});

test('outside of runs it is AI SDK’s approval as ever: the call ends with the question', async () => {
  const provider = createOpenAICompatible({ name: 'stub', baseURL: stub.url });
  const { content } = await generateText({ ...options, model: provider('model-1'), toolApproval: must });
  expect(content.map(({ type }) => type)).toEqual(['tool-call', 'tool-approval-request']);
  expect(stub.requests).toHaveLength(1);
});
