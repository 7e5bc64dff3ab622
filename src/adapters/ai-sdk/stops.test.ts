import { generateText, stepCountIs, streamText, tool } from 'ai';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { aiSdk } from './index.ts';
import { play, type Scene } from './scenario.fixture.ts';

const telemetry = { functionId: 'Triage', integrations: aiSdk() };
const never = new Promise<never>(() => {});
const hangs = () => ({ text: 'Hello there', hold: never });

const generate = ({ model }: Scene, abortSignal: AbortSignal) =>
  generateText({ model, prompt: 'Hi', telemetry, abortSignal });
const stream = ({ model }: Scene, abortSignal: AbortSignal) =>
  streamText({ model, prompt: 'Hi', telemetry, abortSignal, onError: () => {} });

async function readUntil(textStream: AsyncIterable<string>, word: string, then: () => unknown): Promise<void> {
  for await (const delta of textStream) if (delta.includes(word)) await then();
}

async function untilAsked({ stub }: Scene): Promise<void> {
  while (stub.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
}

describe('a cancelled run stops its model call: the provider sees it, and nothing has failed', () => {
  test.each([
    [
      'streamed',
      async (scene: Scene) => {
        await readUntil(stream(scene, scene.run.signal).textStream, 'there', scene.cancel);
      },
    ],
    [
      'unstreamed',
      async (scene: Scene) => {
        const answer = generate(scene, scene.run.signal);
        await untilAsked(scene);
        await scene.cancel();
        await answer;
      },
    ],
    [
      'in a tool',
      async (scene: Scene) => {
        const lookUp = tool({
          inputSchema: z.object({}),
          execute: async (_input, { abortSignal }) => {
            void scene.cancel();
            await new Promise((_resolve, reject) => {
              abortSignal!.addEventListener('abort', () => reject(abortSignal!.reason));
            });
          },
        });
        const { run, model } = scene;
        const result = generateText({
          model,
          prompt: 'Hi',
          tools: { lookUp },
          stopWhen: stepCountIs(3),
          telemetry,
          abortSignal: run.signal,
        });
        await Promise.all([result, result.catch(() => undefined)]);
      },
    ],
  ])('%s', async (how, agent) => {
    let seen: Promise<void> | undefined;
    const answer = () => (how === 'in a tool' ? { tools: [{ name: 'lookUp', args: {} }] } : hangs());
    const { run, events } = await play(answer, async (scene) => {
      seen = how === 'in a tool' ? Promise.resolve() : scene.stub.whenAborted();
      try {
        await agent(scene);
      } finally {
        await seen;
      }
    });
    expect(run).toMatchObject({ status: 'cancelled', errors: [], agents: [{ status: 'interrupted' }] });
    expect(events.filter((it) => it.type.endsWith('.failed'))).toEqual([]);
    expect(events.at(-1)!.type).toBe('run.cancelled');
    if (how === 'streamed') expect(run.messages).toMatchObject([{ text: 'Hello there', status: 'completed' }]);
  });
});

describe('a call that is aborted in a run that goes on is told as cancelled', () => {
  test.each(['streamed', 'unstreamed'])('%s', async (how) => {
    const { run, left } = await play(hangs, async (scene) => {
      const abort = new AbortController();
      if (how === 'streamed') await readUntil(stream(scene, abort.signal).textStream, 'there', () => abort.abort());
      else {
        const answer = generate(scene, abort.signal);
        await untilAsked(scene);
        abort.abort();
        await expect(answer).rejects.toThrow();
      }
      await scene.stub.whenAborted();
      return 'something else';
    });
    expect(left).toEqual([]);
    expect(run).toMatchObject({
      status: 'completed',
      output: 'something else',
      agents: [{ status: 'failed', error: { code: 'cancelled' } }],
      llmCalls: [{ status: 'failed', error: { code: 'cancelled' } }],
    });
  });

  test('one that took too long as timeout', async () => {
    const { run } = await play(hangs, async (scene) => {
      await generate(scene, AbortSignal.timeout(20)).catch(() => undefined);
    });
    expect(run.agents).toMatchObject([{ status: 'failed', error: { code: 'timeout' } }]);
  });
});

test('a consumer that stops reading leaves its agent open; the run’s end closes all of it as interrupted', async () => {
  const { run } = await play(
    () => ({ text: 'word '.repeat(200) }),
    async (scene) => {
      for await (const _ of stream(scene, scene.run.signal).textStream) break;
      return 'enough';
    },
  );
  expect(run).toMatchObject({
    status: 'completed',
    agents: [{ status: 'interrupted' }],
    llmCalls: [{ status: 'interrupted' }],
    messages: [{ status: 'interrupted', text: expect.stringMatching(/^(word )+$/) }],
  });
  // AI SDK reads no further than it is read: the adapter does not read on in its place.
  expect(run.messages[0]!.text.length).toBeLessThan(200);
});
