import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Telltale, telltale } from '../index.ts';
import { encodeEvent, LIMITS, type RunWriter } from '../protocol/index.ts';
import { Onlooker } from './onlooker.fixture.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers of several routes
type Answer = { readonly status: number; readonly body: any };

describe.each(['memory', 'embedded'])('people and runs over HTTP (P8), %s store', (kind) => {
  let dir: string;
  let app: Telltale;
  let url: string;

  const open = async () => {
    app = telltale({ store: kind === 'memory' ? 'memory:' : dir });
    app.agent('asks', async (run, options) =>
      run.agent('Deployer', (it) => it.approve({ prompt: 'Deploy?', ...options })),
    );
    app.agent('listens', async (run: RunWriter, count: number) => {
      const heard = [];
      for await (const { input, by } of run.inputs()) if (heard.push([input, by]) === count) break;
      return heard;
    });
    ({ url } = await app.listen(0));
  };
  const post = async (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> => {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  };
  const get = async (path: string) => (await fetch(url + path)).json();
  const keyed = (key: string) => ({ 'idempotency-key': key });
  const answer = (runId: string, body: object, headers = {}, approvalId = 'approval-1') =>
    post(`/v1/runs/${runId}/approvals/${approvalId}`, body, headers);
  const watch = (runId: string, query = '') => new Onlooker(`${url}/v1/runs/${runId}/stream${query}`);
  const start = async (agent: string, input?: unknown): Promise<string> =>
    (await post('/v1/runs', { agent, ...(input !== undefined && { input }) })).body.runId;
  /** A run that has asked, as somebody else sees it. */
  const asked = async (options?: object) => {
    const runId = await start('asks', options);
    const other = watch(runId);
    await other.saw('approval.requested');
    return { runId, other };
  };
  /** A remote run with these events. */
  const remote = async (...events: object[]): Promise<string> => {
    const { runId } = (await post('/v1/runs', { agent: 'mine', mode: 'remote' })).body;
    if (events.length > 0) expect((await append(runId, ...events)).status).toBe(200);
    return runId;
  };
  const append = (runId: string, ...events: object[]) => post(`/v1/runs/${runId}/events`, { events });
  const question = (more: object = {}) => ({
    type: 'approval.requested',
    data: { approvalId: 'approval-1', prompt: 'Deploy?', ...more },
  });

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'telltale-'));
    await open();
  });
  afterAll(async () => {
    await app.close();
    await rm(dir, { recursive: true });
  });

  test('one viewer answers, another sees it, and after a reload both know the same: it is all in the log', async () => {
    const { runId, other } = await asked();
    expect(other.run).toMatchObject({
      status: 'running',
      approvals: [{ id: 'approval-1', status: 'requested', prompt: 'Deploy?', options: ['approve', 'deny'] }],
    });
    // Whoever opens the page now is asked as well.
    expect((await get(`/v1/runs/${runId}`)).approvals).toEqual(other.run.approvals);
    const told = await answer(runId, { decision: 'approve', comment: 'Looks good', by: 'ada' });
    expect(told).toEqual({
      status: 200,
      body: { approvalId: 'approval-1', status: 'resolved', decision: 'approve', by: 'ada', seq: 4 },
    });
    await other.ended;
    const reloaded = watch(runId);
    await reloaded.ended;
    expect(reloaded.run).toEqual(other.run);
    expect(other.run).toMatchObject({
      status: 'completed',
      approvals: [{ status: 'resolved', decision: 'approve', by: 'ada', comment: 'Looks good', endSeq: 4 }],
      output: { approved: true, decision: 'approve', by: 'ada', comment: 'Looks good' },
    });
    expect((await get(`/v1/runs/${runId}`)).approvals).toEqual(other.run.approvals);
  });

  test('twenty answer at once: one is the first, nineteen are told who it was and what was decided', async () => {
    const { runId, other } = await asked();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        answer(runId, { decision: i % 2 ? 'approve' : 'deny', by: `viewer-${i}`, comment: `because ${i}` }),
      ),
    );
    const [winner, ...more] = answers.filter(({ status }) => status === 200).map(({ body }) => body);
    expect(more).toEqual([]);
    const { decision, by, seq } = winner;
    const losers = answers.filter(({ status }) => status !== 200);
    expect(losers).toHaveLength(19);
    for (const { status, body } of losers) {
      expect([status, body]).toEqual([
        409,
        expect.objectContaining({ code: 'already_decided', approvalId: 'approval-1', decision, by, seq }),
      ]);
      expect(body.comment).toBe(`because ${by.slice(7)}`);
      expect(body.detail).toContain(`by ${by}`);
    }
    await other.ended;
    expect(other.events.filter(({ type }) => type === 'approval.resolved')).toMatchObject([
      { seq, data: { decision, by } },
    ]);
    expect(other.run.output).toMatchObject({ decision, by });
  });

  test('an answer is refused, in words, for every reason there is; nothing of it is stored', async () => {
    const { runId, other } = await asked({ options: ['now', 'tonight'] });
    const before = await get(`/v1/runs/${runId}`);
    const refused = async (told: Promise<Answer>, status: number, code: string, detail = '') => {
      const { status: got, body } = await told;
      expect([got, body.code, body.retryable]).toEqual([status, code, false]);
      expect(body.detail).toContain(detail);
      return body;
    };
    await refused(answer('nobody', { decision: 'now' }), 404, 'run_not_found');
    await refused(answer(runId, { decision: 'now' }, {}, 'approval-2'), 404, 'approval_not_found', 'approval-2');
    const none = await refused(answer(runId, { decision: 'approve' }), 400, 'invalid_request', '"now", "tonight"');
    expect(none.options).toEqual(['now', 'tonight']);
    await refused(answer(runId, {}), 400, 'invalid_request', 'decision');
    await refused(answer(runId, { decision: 'now', comment: 'x'.repeat(4097) }), 400, 'invalid_request', 'comment');
    await refused(answer(runId, { decision: 'now', seq: 1 }), 400, 'invalid_request', 'seq');
    await refused(answer(runId, { decision: 'now' }, keyed('two words')), 400, 'invalid_request', 'Idempotency-Key');
    expect(await get(`/v1/runs/${runId}`)).toEqual(before);

    await post(`/v1/runs/${runId}/cancel`, {});
    await other.ended;
    await refused(answer(runId, { decision: 'now' }), 409, 'run_closed');
    await refused(post(`/v1/runs/${runId}/input`, { input: 1 }), 409, 'run_closed');
    await fetch(`${url}/v1/runs/${runId}`, { method: 'DELETE' });
    await refused(answer(runId, { decision: 'now' }), 410, 'run_deleted');
    await refused(post(`/v1/runs/${runId}/input`, { input: 1 }), 410, 'run_deleted');
  });

  test('nobody answers in time: the other viewer sees it expire, and a late answer is told so', async () => {
    const { runId, other } = await asked({ expiresIn: 30 });
    await other.ended;
    expect(other.events.map(({ type }) => type)).toContain('approval.expired');
    expect(other.run).toMatchObject({ approvals: [{ status: 'expired' }], output: { approved: false } });
    const { status, body } = await answer(runId, { decision: 'approve' });
    expect([status, body.code, body.approvalId]).toEqual([409, 'approval_expired', 'approval-1']);
  });

  test('an answer after the time, but before anybody wrote so, is refused as late and writes it', async () => {
    const runId = await remote();
    const log = await app.log();
    const context = { runId, threadId: runId, time: new Date().toISOString() };
    // Stored by another node: nobody here waits for its time.
    await log.append(runId, [encodeEvent(question({ expiresAt: '2020-01-01T00:00:00Z' }), context)], { runId });
    for (let i = 0; i < 2; i++) {
      const { status, body } = await answer(runId, { decision: 'approve' }, keyed('late'));
      expect([status, body.code, body.seq]).toEqual([409, 'approval_expired', 3]);
    }
    expect((await get(`/v1/runs/${runId}`)).approvals).toMatchObject([{ status: 'expired', endSeq: 3 }]);
  });

  test('under a key, the same answer again is answered as the first time, for ever; another one is a conflict', async () => {
    const { runId, other } = await asked();
    const said = { decision: 'deny', by: 'ada', comment: 'no' };
    const first = await answer(runId, said, keyed('k'));
    const again = { status: 200, body: { ...first.body, duplicate: true } };
    expect(await answer(runId, { comment: 'no', by: 'ada', decision: 'deny' }, keyed('"k"'))).toEqual(again);
    await other.ended;
    expect(await answer(runId, said, keyed('k'))).toEqual(again);
    expect(await answer(runId, { ...said, by: 'bo' }, keyed('k'))).toMatchObject({
      status: 422,
      body: { code: 'idempotency_conflict' },
    });
    // Without it, or under another, the same words are somebody else's.
    for (const headers of [{}, keyed('other')]) {
      expect(await answer(runId, said, headers)).toMatchObject({
        status: 409,
        body: { code: 'already_decided', by: 'ada' },
      });
    }
    if (kind === 'memory') return;
    await app.close();
    await open();
    expect(await answer(runId, said, keyed('k'))).toEqual(again);
  });

  test('a remote producer hears what people say by the stream alone, filtered, and goes on after its cursor', async () => {
    const runId = await remote(question({ expiresAt: new Date(Date.now() + 600_000).toISOString() }));
    const producer = watch(runId, '?types=approval.*,input.*');
    await producer.saw('approval.requested');
    await append(runId, { type: 'custom', data: { name: 'n', value: 'not for it' } });
    await post(`/v1/runs/${runId}/input`, { input: { text: 'hurry' }, by: 'bo' });
    expect((await answer(runId, { decision: 'approve', by: 'ada' })).status).toBe(200);
    expect(await producer.saw('approval.resolved')).toMatchObject({ data: { decision: 'approve', by: 'ada' } });
    expect(producer.events.map(({ type }) => type)).toEqual([
      'approval.requested',
      'input.received',
      'approval.resolved',
    ]);
    await append(runId, { type: 'run.completed', data: {} });
    await producer.ended;
  });

  test('a remote producer may tell an answer itself; which one counts is decided once, whoever comes first', async () => {
    const resolved = { type: 'approval.resolved', data: { approvalId: 'approval-1', decision: 'deny', by: 'console' } };
    const first = await remote(question());
    await append(first, resolved, { type: 'custom', data: { name: 'n', value: 1 } });
    expect(await answer(first, { decision: 'approve' })).toMatchObject({
      status: 409,
      body: { code: 'already_decided', decision: 'deny', by: 'console', seq: 3 },
    });
    const second = await remote(question());
    await answer(second, { decision: 'approve', by: 'ada' });
    expect(await append(second, resolved)).toMatchObject({ status: 409, body: { code: 'already_decided' } });
    // One append decides one thing: two outcomes need two.
    const two = [resolved, { type: 'approval.expired', data: { approvalId: 'q2' } }];
    expect(await append(await remote(question()), ...two)).toMatchObject({
      status: 400,
      body: { code: 'invalid_event' },
    });
    const lines = await fetch(`${url}/v1/runs/${await remote(question())}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: two.map((it) => `${JSON.stringify(it)}\n`).join(''),
    });
    expect(
      (await lines.text())
        .trim()
        .split('\n')
        .map((it) => JSON.parse(it).last),
    ).toEqual([3, 4]);
  });

  test('input is heard by an agent that listens, from its start on and in order; a loop that is left lets go', async () => {
    const runId = await start('listens', 3);
    const other = watch(runId);
    for (const [i, input] of [{ text: 'a' }, null, [1]].entries()) {
      const { status, body } = await post(`/v1/runs/${runId}/input`, { input, by: `p${i}` });
      expect([status, body]).toEqual([202, { inputId: expect.any(String), seq: i + 2 }]);
    }
    await other.ended;
    expect(other.run).toMatchObject({
      status: 'completed',
      output: [
        [{ text: 'a' }, 'p0'],
        [null, 'p1'],
        [[1], 'p2'],
      ],
      inputs: [{ input: { text: 'a' } }, { input: null }, { input: [1] }],
    });
  });

  test('input under a key is said once; what is none, or too large, is refused', async () => {
    const runId = await remote();
    const at = `/v1/runs/${runId}/input`;
    const first = await post(at, { input: 'x', by: 'ada' }, keyed('k'));
    expect(first.status).toBe(202);
    expect(await post(at, { by: 'ada', input: 'x' }, keyed('k'))).toEqual({
      status: 200,
      body: { ...first.body, duplicate: true },
    });
    expect(await post(at, { input: 'y', by: 'ada' }, keyed('k'))).toMatchObject({ status: 422 });
    expect(await post(at, {})).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(await post(at, { input: 'x'.repeat(LIMITS.eventBytes) })).toMatchObject({
      status: 413,
      body: { code: 'event_too_large' },
    });
    expect(await post('/v1/runs/nobody/input', { input: 1 })).toMatchObject({ status: 404 });
    expect((await get(`/v1/runs/${runId}`)).inputs).toHaveLength(1);
  });

  test.runIf(kind === 'embedded')(
    'after a restart a remote run is still asked, and is answered; who asked here is gone, and his question with him',
    async () => {
      const runId = await remote(question());
      const local = await asked();
      await local.other.leave();
      await app.close();
      await open();
      const other = watch(runId);
      expect((await answer(runId, { decision: 'deny', by: 'ada' })).status).toBe(200);
      await other.saw('approval.resolved');
      expect(other.run.approvals).toMatchObject([{ decision: 'deny' }]);
      await other.leave();
      expect(await get(`/v1/runs/${local.runId}`)).toMatchObject({
        status: 'failed',
        error: { code: 'executor_lost' },
        approvals: [{ status: 'expired' }],
      });
      expect((await answer(local.runId, { decision: 'approve' })).body.code).toBe('run_closed');
    },
  );
});
