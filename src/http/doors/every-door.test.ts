/** What holds for the stream of every door, whatever it says: how it is carried. */
import { spawn } from 'node:child_process';
import { EventEmitter, on, once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../hub/recording.fixture.ts';
import { type Telltale, telltale } from '../../index.ts';
import { type Nginx, startNginx } from '../nginx.fixture.ts';
import { find, has } from '../programs.fixture.ts';
import type { DoorName } from './index.ts';

/** Starts a run and gives its id. */
const start = async (input: string, threadId?: string): Promise<string> =>
  (await app.start({ agent: 'a', input, ...(threadId !== undefined && { threadId }) })).runId;

/** Of each door: a stream of a new run with this input, and how it tells that a tool was called. */
const STREAMS: Readonly<
  Record<DoorName, readonly [path: (input: string) => string | Promise<string>, told: (tool: string) => string]>
> = {
  'agent-activity': [
    (input) => start(input, input).then(() => `/sse/agent-activity/${input}`),
    (tool) => `"action":"Calling ${tool}"`,
  ],
  workflow: [
    async (input) => `/api/v1/agents/a/tasks/${await start(input)}/events/stream`,
    (tool) => `"tool_name":"${tool}"`,
  ],
  execution: [async (input) => `/api/agent/executions/${await start(input)}/events`, (tool) => `"toolName":"${tool}"`],
  chat: [(input) => `/api/chat/stream?message=${input}`, (tool) => `"tool":"${tool}"`],
  thinking: [
    (input) => start(input, input).then(() => `/api/conversations/${input}/thinking`),
    (tool) => `data: Calling ${tool}...`,
  ],
};
const DOORS = Object.entries(STREAMS).map(([door, it]) => [door, ...it] as const);
const nginx = find('nginx');

let app: Telltale;
let url: string;
let proxy: Nginx | undefined;
/** Rings with the name of a tool for the run of an input. */
const bell = new EventEmitter().setMaxListeners(0);

beforeAll(async () => {
  app = telltale({ store: 'memory:' });
  app.agent('a', async (run, input) => {
    const call = (tool: string) => run.tool(tool, { text: 'é\r\n\n' }, () => 'text');
    const asked = on(bell, `${input}`, { signal: run.signal });
    await call('first');
    for await (const [tool] of asked) await call(tool);
  });
  ({ url } = await app.listen(0));
  proxy = nginx
    ? await startNginx(nginx, (port) => `listen 127.0.0.1:${port}; location / { proxy_pass ${url}; gzip on; }`)
    : undefined;
});

afterAll(async () => {
  await proxy?.stop();
  await app.close();
});

/** A stream, asked for as a browser asks for it. */
async function open(url: string, init: RequestInit = {}) {
  const leaving = new AbortController();
  const headers = { ...init.headers, accept: 'text/event-stream', 'accept-encoding': 'gzip, deflate, br, zstd' };
  const answer = await fetch(url, { ...init, headers, signal: leaving.signal });
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  /** All that came, once `part` is in it. */
  const hears = async (part: string): Promise<string> => {
    while (!text.includes(part)) {
      const { done, value } = await reader.read();
      if (done) throw new Error(`It ended before ${part}`);
      text += value;
    }
    return text;
  };
  return { answer, hears, leave: () => leaving.abort() };
}

/** Headers after which no proxy or cache keeps, holds back, changes or compresses anything. */
function expectUntouchable(answer: Response): void {
  expect(answer.status).toBe(200);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-store, no-transform, must-revalidate',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
  });
  for (const name of ['content-encoding', 'content-length']) expect(answer.headers.get(name)).toBeNull();
}

describe.each(DOORS)('the stream of %s', (door, path, told) => {
  test('has the headers of a stream that no proxy or cache may touch, and is not compressed for who takes that', async () => {
    const { answer, hears, leave } = await open(url + (await path(`${door}-1`)));
    expectUntouchable(answer);
    expect(await hears(told('first'))).toMatch(/^: connected\n\nretry: [1-4]\d{3}\n\n/);
    leave();
  });

  test('has LF alone and one data line a frame, whatever a tool was given', async () => {
    const { hears, leave } = await open(url + (await path(`${door}-2`)));
    const text = await hears(told('first'));
    leave();
    expect(text).not.toContain('\r');
    const lines = text.split('\n').filter((line) => line !== '');
    expect(lines.filter((line) => !/^(?:: ?|id: |event: |data: |retry: )/.test(line))).toEqual([]);
    for (const frame of text.split('\n\n')) expect(frame.split('\ndata: ').length).toBeLessThanOrEqual(2);
  });

  test('is shown by curl -N as it comes', async (context) => {
    if (!has('curl')) return context.skip('curl is not installed');
    const address = url + (await path(`${door}-curl`));
    const curl = spawn('curl', ['-sN', '-H', 'Accept: text/event-stream', address], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const closed = once(curl, 'close');
    let shown = '';
    curl.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
    });
    await until(() => shown.includes(told('first')), 'the first');
    bell.emit(`${door}-curl`, 'second');
    await until(() => shown.includes(told('second')), 'the second');
    curl.kill();
    await closed;
  });

  test('passes at once through an nginx that buffers and compresses', async (context) => {
    if (!proxy) return context.skip('nginx is not installed');
    const { answer, hears, leave } = await open(`http://127.0.0.1:${proxy.port}${await path(`${door}-3`)}`);
    expect(answer.headers.get('content-encoding')).toBeNull();
    await hears(told('first'));
    for (let n = 0; n < 5; n++) {
      const began = performance.now();
      bell.emit(`${door}-3`, `tool-${n}`);
      await hears(told(`tool-${n}`));
      expect(performance.now() - began).toBeLessThan(1000);
    }
    leave();
  });
});

test('the answer to a POST at the chat door is such a stream, too', async () => {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"message":"chat-post"}' };
  const { answer, hears, leave } = await open(`${url}/api/chat/message`, init);
  expectUntouchable(answer);
  expect(await hears('"tool":"first"')).toMatch(/^: connected\n\nretry: [1-4]\d{3}\n\n/);
  leave();
});
