/**
 * Twenty clients against one run, over HTTP, for real: each asks for something, or answers, at its own time, some with a key that another
 * has too. Judged by what a second viewer saw, by what a reload shows, and by what each client was answered.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Telltale, telltale } from '../index.ts';
import type { RunSnapshot, RunWriter, TelltaleEvent } from '../protocol/index.ts';
import { type Answer, checkRace } from '../runs/race.fixture.ts';
import { fold } from '../runs/watching.fixture.ts';
import { get, read } from './stream-client.fixture.ts';

const ROUNDS = process.env.TELLTALE_LONG ? 500 : 30;
const CLIENTS = 20;
/** Turns of the event loop over which the clients are spread: about as long as a run that nobody stops. */
const SPREAD = 60;

const random = (below: number): number => Math.floor(Math.random() * below);
const oneOf = <T>(list: readonly T[]): T => list[random(list.length)]!;

interface Reply {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers of every route
  readonly body: any;
}

let dir: string;
let app: Telltale;
let url: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'telltale-race-'));
  app = telltale({ store: dir });
  app.agent('worker', async (run, { steps, fails }: { steps: number; fails: boolean }) => {
    const work = async (agent: RunWriter, tools: number): Promise<void> => {
      for (let i = 0; i < tools; i++) await agent.tool('step', { i }, () => nextTurn());
    };
    await Promise.all([
      run.agent('left', (it) => work(it, steps)),
      run.agent('right', (it) => work(it, steps / 2)),
      // About as long as the clients need.
      run.agent('asker', (it) => it.approve({ prompt: 'May I?', expiresIn: 5 + steps })),
    ]);
    if (fails) throw new Error('out of order');
  });
  ({ url } = await app.listen(0));
});

afterAll(async () => {
  await app.close();
  await rm(dir, { recursive: true });
});

async function post(path: string, key: string, body: object = {}): Promise<Reply> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key };
  const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
}

/** What a client may do to a run, how often and how: what comes back is judged by `checkRace`. */
interface Action {
  readonly asked: string;
  readonly weight: number;
  send(runId: string, key: string): Promise<Reply>;
}
const command = (asked: string, weight: number): Action => ({
  asked,
  weight,
  send: (runId, key) => post(`/v1/runs/${runId}/${asked}`, key),
});
const RESUME = command('resume', 8);
const answer = (decision: string): Action => ({
  asked: decision,
  weight: 2,
  send: (runId, key) => post(`/v1/runs/${runId}/approvals/approval-1`, key, { decision }),
});
const ACTIONS: readonly Action[] = [
  ...[command('pause', 8), RESUME, command('cancel', 1)],
  ...[answer('approve'), answer('deny')],
];
const DRAWN = ACTIONS.flatMap((it) => Array<Action>(it.weight).fill(it));

async function ask(runId: string, { asked, send }: Action, key: string): Promise<readonly Answer[]> {
  const { status, body } = await send(runId, key);
  // Used for something else; or there is no question yet, or no more.
  if (status === 422 || ['approval_not_found', 'run_closed'].includes(body.code)) return [];
  if (body.approvalId !== undefined) {
    expect([status, body.code]).toBeOneOf([
      [200, undefined],
      [409, 'already_decided'],
      [409, 'approval_expired'],
    ]);
    return [{ asked, ...body, status: 'running' }];
  }
  expect([status, asked, body]).toEqual([expect.toBeOneOf([200, 202]), asked, expect.anything()]);
  expect(status === 202).toBe(body.commandId !== undefined && !body.duplicate);
  return [{ asked, ...body }];
}

/**
 * Every event, as a viewer sees it live. Not by fetch: that of Node 24.21 throws past everybody when a stream ends before
 * all of it was read (nodejs/undici#5360), as it may where twenty others keep this process busy.
 */
async function watch(runId: string): Promise<readonly TelltaleEvent[]> {
  const events: TelltaleEvent[] = [];
  const onEvent = ({ event, data }: EventSourceMessage) => {
    if (!event?.startsWith('stream.')) events.push(JSON.parse(data));
  };
  const parser = createParser({ onEvent });
  await read(await get(`${url}/v1/runs/${runId}/stream`), (text) => parser.feed(text));
  return events;
}

const json = async (path: string) => (await fetch(url + path)).json();

async function round(): Promise<RunSnapshot> {
  const input = { steps: 20 + random(150), fails: random(4) === 0 };
  const { body: run } = await post('/v1/runs', crypto.randomUUID(), { agent: 'worker', input });
  const { runId } = run as { runId: string };
  const watched = watch(runId);
  const clients = Array.from({ length: CLIENTS }, async (_, i) => {
    for (let turns = random(SPREAD); turns > 0; turns--) await nextTurn();
    return ask(runId, oneOf(DRAWN), random(5) === 0 ? 'shared' : `own-${i}`);
  });
  const answers = (await Promise.all(clients)).flat();
  // Whoever is held now is let go: nothing was asked for after this.
  answers.push(...(await ask(runId, RESUME, 'last')));
  const events = await watched;
  checkRace(events, answers);
  const page = (await json(`/v1/runs/${runId}/events?limit=1000`)) as { events: TelltaleEvent[]; ended: boolean };
  expect(page).toMatchObject({ ended: true, events });
  const { cursor: _, ...snapshot } = (await json(`/v1/runs/${runId}`)) as RunSnapshot & { cursor: string };
  expect(snapshot).toEqual(fold(events));
  return snapshot;
}

describe('P10: cancel, pause, resume and the natural end, raced by twenty clients', () => {
  test(`${ROUNDS} rounds: one end, one outcome for every command, nobody held for ever`, {
    timeout: ROUNDS * 2_000,
  }, async () => {
    const seen = new Map<string, number>();
    for (let i = 0; i < ROUNDS; i++) {
      const { status, commands, approvals } = await round();
      const asked = approvals.map((it) => (it.endSeq === undefined ? 'left open' : it.status));
      for (const it of [status, ...commands.map((it) => `${it.command} ${it.status}`), ...asked]) {
        seen.set(it, (seen.get(it) ?? 0) + 1);
      }
    }
    // It was a race: it went all ways.
    const ways = [
      ...['completed', 'cancelled', 'pause applied', 'pause refused', 'resume applied', 'cancel applied'],
      ...['resolved', 'expired'],
    ];
    expect([...seen.keys()]).toEqual(expect.arrayContaining(ways));
  });
});
