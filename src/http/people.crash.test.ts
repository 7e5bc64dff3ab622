import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { endAll, startServer } from '../cli/process.fixture.ts';
import { Onlooker } from './onlooker.fixture.ts';

const AGENTS = `export const asks = (run) => run.approve({ prompt: 'Deploy?', expiresIn: 600_000 });`;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'telltale-'));
  await writeFile(join(dir, 'agents.mjs'), AGENTS);
});
afterAll(async () => {
  await endAll();
  await rm(dir, { recursive: true });
});

test('P10: SIGKILL while runs wait for people: who asked here is gone, what a remote run asked still is', async () => {
  const post = async (url: string, path: string, body: object) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: response.status, body: await response.json() };
  };
  const serve = (port: string) => startServer([join(dir, 'agents.mjs'), '--data', join(dir, 'data'), '--port', port]);
  const first = await serve('0');
  const { url } = first;
  const local = new Onlooker(`${url}/v1/runs/${(await post(url, '/v1/runs', { agent: 'asks' })).body.runId}/stream`);
  const { runId } = await local.saw('approval.requested');
  await post(url, '/v1/runs', { agent: 'mine', mode: 'remote', runId: 'remote' });
  const ask = (approvalId: string, expiresIn: number) => ({
    type: 'approval.requested',
    data: { approvalId, prompt: '?', expiresAt: new Date(Date.now() + expiresIn).toISOString() },
  });
  // Its time is over before the server is back.
  const events = [ask('answered', 600_000), ask('forgotten', 300)];
  expect((await post(url, '/v1/runs/remote/events', { events })).status).toBe(200);
  const remote = new Onlooker(`${url}/v1/runs/remote/stream`);
  await remote.saw('approval.requested', 2);

  first.program.child.kill('SIGKILL');
  await first.program.ended;
  await serve(first.port);

  // The same viewers, who come back by themselves.
  expect(await remote.saw('approval.expired')).toMatchObject({ data: { approvalId: 'forgotten' } });
  const answered = await post(url, '/v1/runs/remote/approvals/answered', { decision: 'approve', by: 'ada' });
  expect(answered.status).toBe(200);
  expect(await remote.saw('approval.resolved')).toMatchObject({ data: { approvalId: 'answered', by: 'ada' } });
  expect(remote.run).toMatchObject({ status: 'running', approvals: [{ status: 'resolved' }, { status: 'expired' }] });
  await remote.leave();
  await local.ended;
  expect(local.run).toMatchObject({
    status: 'failed',
    error: { code: 'executor_lost' },
    approvals: [{ status: 'expired' }],
  });
  expect((await post(url, `/v1/runs/${runId}/approvals/approval-1`, { decision: 'approve' })).body.code).toBe(
    'run_closed',
  );
});
