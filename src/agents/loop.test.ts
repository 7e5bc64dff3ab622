import * as sdk from 'ai';
import { describe, expect, test } from 'vitest';
import { telltale } from '../index.ts';
import { runLoop } from './loop.ts';
import type { Model, StreamPart } from './rules/conversation.ts';

/** A model that begins to answer and then falls silent, until it is told to stop. */
function silent(beginning: readonly StreamPart[]): { model: Model; stopped: () => number } {
  let stopped = 0;
  const model: Model = {
    specificationVersion: 'v4',
    provider: 'test',
    modelId: 'silent',
    supportedUrls: {},
    async doStream({ abortSignal }) {
      const stream = new ReadableStream<StreamPart>({
        start(controller) {
          for (const part of beginning) controller.enqueue(part);
          abortSignal?.addEventListener('abort', () => {
            stopped++;
            controller.error(abortSignal.reason);
          });
        },
      });
      return { stream };
    },
    doGenerate: () => Promise.reject(new Error('Agents stream.')),
  };
  return { model, stopped: () => stopped };
}

const LONG = 60_000;
const start: StreamPart = { type: 'stream-start', warnings: [] };
const word: StreamPart[] = [
  { type: 'text-start', id: '1' },
  { type: 'text-delta', id: '1', delta: 'So' },
];

describe('an agent whose model falls silent', () => {
  test.each<[string, StreamPart[], object, string]>([
    ['before its first word', [start], { firstChunkMs: 50 }, 'First chunk timeout of 50ms exceeded'],
    ['in the middle of its answer', [start, ...word], { chunkMs: 50 }, 'Chunk timeout of 50ms exceeded'],
    ['although each word comes in time', [start, ...word], { totalMs: 50 }, 'aborted due to timeout'],
  ])('%s fails, and its call is stopped', async (_name, beginning, limit, why) => {
    const { model, stopped } = silent(beginning);
    const timeout = { totalMs: LONG, firstChunkMs: LONG, chunkMs: LONG, ...limit };
    const app = telltale({ store: 'memory:' });
    app.agent('any', (run) =>
      runLoop(
        { sdk, model, label: 'silent' },
        { run, signal: run.signal, name: 'Any', instructions: '', prompt: 'x', tools: {} },
        { steps: 3, timeout },
      ),
    );
    try {
      const ended = await (await app.start({ agent: 'any' })).finished();
      expect(ended).toMatchObject({
        status: 'failed',
        error: { code: 'agent_failed', message: expect.stringMatching(new RegExp(`^silent took too long: .*${why}`)) },
        agents: [{ name: 'Any', status: 'failed' }],
      });
      expect(stopped()).toBe(1);
    } finally {
      await app.close();
    }
  });
});
