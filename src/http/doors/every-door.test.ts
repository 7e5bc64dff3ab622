/** What holds for the stream of every door, whatever it says: how it is carried. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { append, type Draft } from '../../hub/drafts.fixture.ts';
import { until } from '../../hub/recording.fixture.ts';
import { type Nginx, startNginx } from '../nginx.fixture.ts';
import { find } from '../programs.fixture.ts';
import { type StreamServer, streamServer } from '../stream.fixture.ts';

/** One line for each door: the stream of the run `r`, of the agent `a`, and how it tells that the tool `t` was called. */
const DOORS: readonly (readonly [door: string, path: string, told: (tool: string) => string])[] = [
  ['agent-activity', '/sse/agent-activity/r', (tool) => `"action":"Calling ${tool}"`],
  ['workflow', '/api/v1/agents/a/tasks/r/events/stream', (tool) => `"tool_name":"${tool}"`],
];
const called = (name: string): Draft => ['tool.called', { toolCallId: name, name, args: { text: 'é\r\n\n' } }];
const nginx = find('nginx');

let server: StreamServer;
let proxy: Nginx | undefined;

beforeAll(async () => {
  server = await streamServer();
  await append(server.log, 'r', [['run.started', { agent: 'a' }], called('first')]);
  proxy = nginx
    ? await startNginx(nginx, (port) => `listen 127.0.0.1:${port}; location / { proxy_pass ${server.url}; gzip on; }`)
    : undefined;
});

afterAll(async () => {
  await until(() => server.hub.viewers === 0);
  expect(server.errors).toEqual([]);
  await proxy?.stop();
  await server.close();
});

/** A stream, asked for as a browser asks for it. */
async function open(url: string) {
  const leaving = new AbortController();
  const headers = { accept: 'text/event-stream', 'accept-encoding': 'gzip, deflate, br, zstd' };
  const answer = await fetch(url, { headers, signal: leaving.signal });
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

describe.each(DOORS)('the stream of %s', (door, path, told) => {
  test('has the headers of a stream that no proxy or cache may touch, and is not compressed for who takes that', async () => {
    const { answer, hears, leave } = await open(server.url + path);
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-store, no-transform, must-revalidate',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    });
    for (const name of ['content-encoding', 'content-length']) expect(answer.headers.get(name)).toBeNull();
    expect(await hears(told('first'))).toMatch(/^: connected\n\nretry: [1-4]\d{3}\n\n/);
    leave();
  });

  test('has LF alone and one data line a frame, whatever a tool was given', async () => {
    const { hears, leave } = await open(server.url + path);
    const text = await hears(told('first'));
    leave();
    expect(text).not.toContain('\r');
    const lines = text.split('\n').filter((line) => line !== '');
    expect(lines.filter((line) => !/^(?:: ?|id: |event: |data: \{.*|retry: )/.test(line))).toEqual([]);
    for (const frame of text.split('\n\n')) expect(frame.split('\ndata: ').length).toBeLessThanOrEqual(2);
  });

  test('passes at once through an nginx that buffers and compresses', async (context) => {
    if (!proxy) return context.skip('nginx is not installed');
    const { answer, hears, leave } = await open(`http://127.0.0.1:${proxy.port}${path}`);
    expect(answer.headers.get('content-encoding')).toBeNull();
    await hears(told('first'));
    for (let n = 0; n < 5; n++) {
      const began = performance.now();
      await append(server.log, 'r', [called(`${door}-${n}`)]);
      await hears(told(`${door}-${n}`));
      expect(performance.now() - began).toBeLessThan(1000);
    }
    leave();
  });
});
