import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Hub } from '../hub/index.ts';
import { telltale } from '../index.ts';
import { openMemory } from '../log/memory.ts';
import { ERROR_CODES, eventData, LIMITS } from '../protocol/index.ts';
import { Runs } from '../runs/index.ts';
import { createApp } from './index.ts';
import { bodyOf, targetOf } from './openapi/curl.ts';
import type { DocumentedOperation, OpenApiDocument } from './openapi/document.ts';
import {
  type DocumentedServer,
  documentedServer,
  JSON_HEADERS,
  type Judge,
  judgeAnswer,
  judgeOf,
  textOf,
} from './openapi/documented.fixture.ts';
import { SCENE } from './openapi/scene.ts';

const app = createApp({
  ...parts(),
  limits: LIMITS,
  allowedHosts: [],
  allowedOrigins: [],
  onError: (error) => {
    throw error;
  },
});

function parts() {
  const log = openMemory();
  return { log, hub: new Hub(log), runs: new Runs(log, { limits: LIMITS }) };
}

const document = (await (await app.request('http://localhost/openapi.json')).json()) as OpenApiDocument;
const judge: Judge = judgeOf(document);
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(
    ([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as [string, DocumentedOperation],
  ),
);
const examples = operations.flatMap(([key, operation]) =>
  operation['x-examples'].map((example, i) => [key, i + 1, operation, example] as const),
);
const operationOf = (key: string): DocumentedOperation => operations.find(([name]) => name === key)![1];

describe('the document (P8)', () => {
  test('is valid OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate({ ...document });
    expect([valid, errors]).toEqual([true, undefined]);
  });

  test('describes every route there is, and none that is not', () => {
    const routes = app.routes.filter(({ method }) => method !== 'ALL');
    const addresses = routes.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
    expect(operations.map(([key]) => key).sort()).toEqual([...new Set(addresses)].sort());
  });

  test('is the same bytes from every server', async () => {
    const other = createApp({ ...parts(), limits: LIMITS, allowedHosts: [], allowedOrigins: [], onError: () => {} });
    const texts = [app, other].map(async (it) => (await it.request('http://localhost/openapi.json')).text());
    const [one, two] = await Promise.all(texts);
    expect(one).toBe(two);
  });

  test('gives every operation a name of its own, words and an example', () => {
    const ids = operations.map(([, { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [key, { summary, description, responses, 'x-examples': given }] of operations) {
      expect([key, summary.length > 5, description.length > 20, given.length > 0]).toEqual([key, true, true, true]);
      expect(Object.keys(responses).some((status) => Number(status) < 300)).toBe(true);
    }
  });

  test('has a schema for every event type, and every error code', () => {
    const { schemas } = document.components;
    expect(Object.keys(eventData).filter((type) => schemas[type] === undefined)).toEqual([]);
    const { code } = schemas.Problem!.properties as { code: { enum: string[] } };
    expect(code.enum).toEqual(ERROR_CODES);
  });

  test('gives examples of answers that match their schemas', () => {
    for (const [, { responses }] of operations) {
      for (const { content = {} } of Object.values(responses)) {
        const { example, schema } = content['application/json'] ?? {};
        if (example !== undefined) expect(judge(schema!, example)).toEqual([]);
      }
    }
  });
});

describe('a server that runs is as the document says (P8)', () => {
  let server: DocumentedServer;

  beforeAll(async () => {
    server = await documentedServer();
  });

  afterAll(() => server.app.close());

  test.each(examples)('%s: its example %i goes well', async (key, _number, operation, example) => {
    const fresh = await documentedServer();
    const [method = '', path = ''] = key.split(' ');
    const sent = bodyOf(example);
    const answer = await fetch(fresh.url + targetOf(path, example), {
      method,
      headers: { ...sent?.headers, ...example.headers },
      ...(sent && { body: sent.body }),
    });
    const text = await textOf(answer);
    expect(answer.ok, text).toBe(true);
    expect(judgeAnswer(judge, operation, answer, text)).toEqual([]);
    const { 'application/json': json, 'application/x-ndjson': ndjson } = operation.requestBody?.content ?? {};
    if (example.body) expect(judge(json!.schema, example.body)).toEqual([]);
    for (const line of example.lines ?? []) expect(judge(ndjson!['x-line']!, line)).toEqual([]);
    await fresh.app.close();
  });

  test('every command that the page shows can be copied into a shell, one after the other, on a server without any run', async () => {
    const bare = telltale({ store: 'memory:' });
    bare.agent('greeter', () => 'Hello.');
    const { url } = await bare.listen(0);
    const page = await (await fetch(`${url}/docs`)).text();
    const commands = [...page.matchAll(/<pre class="command"><code>(.*?)<\/code>/gs)].map(([, it]) => unescaped(it!));
    expect(commands).toHaveLength(SCENE.length + examples.length);
    for (const command of commands) {
      const said = promisify(execFile)('sh', ['-c', `${command} --silent --fail-with-body --max-time 1`]);
      // A stream that never ends is cut by curl, with its code 28.
      const { stdout } = await said.catch(({ code, stdout }) => ({ stdout: code === 28 ? stdout : `code ${code}` }));
      expect(stdout, command).toMatch(command.includes('-X DELETE') ? /^$/ : /^[{[:<]/);
    }
    await bare.close();
  });

  test.each(operations)('%s: what it refuses is in its document', async (key, operation) => {
    const [method = '', path = ''] = key.split(' ');
    const nowhere = path.replace(/\{\w+\}/g, 'none');
    const body = operation.requestBody && {
      body: '{"agent":"nobody","events":[{"type":"custom","data":{"name":"n","value":1}}]}',
    };
    for (const [target, init] of [
      [`${nowhere}?surprise=1`, body],
      [nowhere, body],
      [nowhere, body && { body: '{' }],
      [nowhere, body && { body: 'x', headers: { 'content-type': 'text/plain' } }],
      [nowhere, { ...body, headers: { ...JSON_HEADERS, origin: 'https://evil.example' } }],
    ] as [string, RequestInit | undefined][]) {
      const answer = await fetch(server.url + target, { method, headers: JSON_HEADERS, ...init });
      // A stream that waits for what is not there yet says nothing.
      const isStream = answer.ok && answer.headers.get('content-type')?.startsWith('text/event-stream');
      if (isStream) await answer.body?.cancel();
      const text = isStream ? '' : await textOf(answer);
      expect(judgeAnswer(judge, operation, answer, text)).toEqual([]);
    }
  });

  test('an append is valid by the document exactly where the server takes it', async () => {
    const operation = operationOf('POST /v1/runs/{runId}/events');
    const { schema } = operation.requestBody!.content['application/json']!;
    const drafts: [taken: boolean, draft: unknown][] = [
      [true, { type: 'message.delta', data: { messageId: 'm', delta: 'x', more: 1 } }],
      [true, { type: 'my.own', data: {} }],
      [true, { type: 'custom', data: { name: 'n', value: null }, agent: { id: 'a', name: 'A', path: 'a' } }],
      [false, { type: 'message.delta', data: { messageId: 'm' } }],
      [false, { type: 'progress.updated', data: { progress: 2 } }],
      [false, { type: 'custom', data: { name: 'n' } }],
      [false, { type: 'My Own', data: {} }],
      [false, { type: 'my.own' }],
      [false, { type: 'my.own', data: {}, seq: 1 }],
    ];
    for (const [taken, draft] of drafts) {
      const body = { events: [draft] };
      const init = { method: 'POST', headers: JSON_HEADERS, body: JSON.stringify(body) };
      const answer = await fetch(`${server.url}/v1/runs/job/events`, init);
      expect([answer.ok, judge(schema, body).length === 0], JSON.stringify(draft)).toEqual([taken, taken]);
    }
  });

  test('each line of an NDJSON answer is described, what was refused too', async () => {
    const operation = operationOf('POST /v1/runs/{runId}/events');
    const body = '{"type":"custom","data":{"name":"n","value":1}}\n{"type":"custom","data":{}}\n';
    const headers = { 'content-type': 'application/x-ndjson' };
    const answer = await fetch(`${server.url}/v1/runs/job/events`, { method: 'POST', headers, body });
    const text = await answer.text();
    expect(
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).code),
    ).toEqual([undefined, 'invalid_event']);
    expect(judgeAnswer(judge, operation, answer, text)).toEqual([]);
  });

  test('a snapshot of a run in which everything happened is described to its last member', async () => {
    await server.app.start({ agent: 'worker', runId: 'full', mode: 'remote', input: 1, metadata: { a: 1 } });
    const init = { method: 'POST', headers: JSON_HEADERS, body: JSON.stringify({ events: EVERYTHING }) };
    expect(await (await fetch(`${server.url}/v1/runs/full/events`, init)).json()).toMatchObject({ first: 2 });
    await fetch(`${server.url}/v1/runs/full/cancel`, { method: 'POST' });
    for (const key of ['GET /v1/runs/{runId}', 'GET /v1/runs/{runId}/events', 'GET /v1/runs/{runId}/stream']) {
      const path = key.slice('GET '.length).replace('{runId}', 'full');
      const answer = await fetch(`${server.url}${path}${path.endsWith('stream') ? '?from=snapshot' : ''}`);
      expect(judgeAnswer(judge, operationOf(key), answer, await textOf(answer)), key).toEqual([]);
    }
  });

  test('a stream that cannot go on from a cursor says so in a frame that is described', async () => {
    const answer = await fetch(`${server.url}/v1/runs/job/stream?after=nonsense`);
    const text = await textOf(answer);
    expect(text).toContain('event: stream.reset');
    expect(judgeAnswer(judge, operationOf('GET /v1/runs/{runId}/stream'), answer, text)).toEqual([]);
  });
});

const unescaped = (text: string): string =>
  text
    .replaceAll('&#39;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');

const error = { code: 'broken', message: 'It broke', retryable: true };
const usage = { inputTokens: 1, outputTokens: 1, totalTokens: 2 };
const cost = { amount: 0.1, currency: 'EUR', source: 'provider' };
const agent = { id: 'a1', name: 'A', path: 'a1' };
const one = (type: string, data: object) => ({ type, data, agent });

const EVERYTHING = [
  one('plan.created', {
    goal: 'g',
    steps: [
      { id: 's1', name: 'one' },
      { id: 's2', name: 'two' },
    ],
  }),
  one('agent.started', { input: 1, model: 'm' }),
  one('step.started', { stepId: 's1', name: 'one', index: 0 }),
  one('step.completed', { stepId: 's1', result: 1, durationMs: 2 }),
  one('step.started', { stepId: 's2', name: 'two' }),
  one('step.failed', { stepId: 's2', error }),
  one('progress.updated', { progress: 0.5, message: 'half' }),
  one('status.updated', { status: 'busy' }),
  one('activity.reported', { action: 'reads', status: 'running', details: {} }),
  one('reasoning.delta', { reasoningId: 'r', delta: 'x' }),
  one('reasoning.completed', { reasoningId: 'r', text: 'x', durationMs: 1 }),
  one('message.started', { messageId: 'm', role: 'assistant' }),
  one('message.completed', { messageId: 'm', text: 'x' }),
  one('llm.started', { callId: 'c', model: 'm', provider: 'p', estimatedCost: cost }),
  one('llm.completed', { callId: 'c', usage, cost, durationMs: 1 }),
  one('tool.started', { toolCallId: 't', name: 'read' }),
  one('tool.args.delta', { toolCallId: 't', delta: '{' }),
  one('tool.called', { toolCallId: 't', name: 'read', args: {} }),
  one('tool.progress', { toolCallId: 't', progress: 0.1, message: 'm', partial: 1 }),
  one('tool.completed', { toolCallId: 't', result: 1, durationMs: 1 }),
  one('tool.denied', { toolCallId: 'u', name: 'write', reason: 'no' }),
  one('approval.requested', { approvalId: 'a', prompt: 'May I?', toolCallId: 't', options: ['yes'] }),
  one('approval.resolved', { approvalId: 'a', decision: 'yes', by: 'ada', comment: 'c' }),
  one('input.received', { input: 'x', inputId: 'i', by: 'ada' }),
  one('usage.updated', { usage, cost }),
  one('budget.set', { maxCost: 1, warnAt: 0.8, currency: 'EUR' }),
  one('budget.warning', { limit: 'cost', used: 0.8, max: 1 }),
  one('budget.exceeded', { limit: 'cost', used: 1.1, max: 1, decision: 'stop' }),
  one('state.snapshot', { state: { a: 1 } }),
  one('state.patched', { patch: [{ op: 'add', path: '/b', value: 2 }] }),
  one('state.patched', { patch: [{ op: 'remove', path: '/nowhere' }] }),
  one('artifact.added', { artifactId: 'f', name: 'f.txt', mediaType: 'text/plain', content: 'x' }),
  one('source.added', { sourceId: 's', title: 't', path: 'a.ts', line: 1, quote: 'q' }),
  one('error.reported', { error }),
  one('agent.failed', { error, durationMs: 1 }),
];
