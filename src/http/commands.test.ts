import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { follow } from '../client/index.ts';
import { Hub } from '../hub/index.ts';
import { type Telltale, telltale } from '../index.ts';
import { openMemory } from '../log/memory.ts';
import { LIMITS, type RunSnapshot, type RunWriter, type TelltaleEvent } from '../protocol/index.ts';
import { type Fault, faultyLog } from '../runs/faulty-log.fixture.ts';
import { Runs } from '../runs/index.ts';
import { fold, told } from '../runs/watching.fixture.ts';
import { createApp } from './index.ts';

let app: Telltale;
let url: string;

beforeAll(async () => {
  app = telltale({ store: 'memory:' });
  app.agent('walker', async (run: RunWriter, steps: number) => {
    for (let i = 0; i < steps; i++) await run.checkpoint();
  });
  const untilStopped = (run: RunWriter) => new Promise((end) => run.signal.addEventListener('abort', end));
  app.agent('one', untilStopped, { concurrency: 1 });
  ({ url } = await app.listen(0));
});

afterAll(() => app.close());

const FOREVER = 1_000_000_000;

async function send(path: string, body: object = {}, headers: Record<string, string> = {}) {
  const init = {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  };
  const response = await fetch(url + path, init);
  // biome-ignore lint/suspicious/noExplicitAny: answers of every route
  return { status: response.status, body: (await response.json()) as any };
}

const snapshotOf = async (runId: string) => (await (await fetch(`${url}/v1/runs/${runId}`)).json()) as RunSnapshot;

/** Somebody else who watches a run, from its beginning. */
class Viewer {
  readonly events: TelltaleEvent[] = [];
  readonly #stream;

  constructor(runId: string) {
    this.#stream = follow(`${url}/v1/runs/${runId}/stream`)[Symbol.asyncIterator]();
  }

  /** Resolves with what was seen when an event of this type comes. */
  async sees(type: string): Promise<readonly TelltaleEvent[]> {
    for (;;) {
      const { done, value } = await this.#stream.next();
      if (done) throw new Error(`The stream ended without ${type}`);
      if (value.kind === 'event') this.events.push(value.event);
      if (this.events.at(-1)?.type === type) return this.events;
    }
  }
}

describe('a run here, before the eyes of another viewer (P8, P10)', () => {
  test('is paused, goes on, and is cancelled; a reload shows the same', async () => {
    await send('/v1/runs', { agent: 'walker', input: FOREVER, runId: 'walk' });
    const viewer = new Viewer('walk');
    const pause = await send('/v1/runs/walk/pause', { by: 'ann', reason: 'lunch' });
    expect(pause).toEqual({ status: 202, body: { commandId: expect.any(String), status: 'running', seq: 2 } });
    await viewer.sees('run.paused');
    expect(await send('/v1/runs/walk/pause')).toEqual({ status: 200, body: { status: 'paused' } });
    const resume = await send('/v1/runs/walk/resume', { by: 'bob' });
    expect(resume).toMatchObject({ status: 202, body: { status: 'paused' } });
    await viewer.sees('run.resumed');
    expect(await send('/v1/runs/walk/resume')).toEqual({ status: 200, body: { status: 'running' } });
    const cancel = await send('/v1/runs/walk/cancel', { by: 'cy' });
    await viewer.sees('run.cancelled');
    expect(told(viewer.events)).toEqual([
      ['run.started', { agent: 'walker', mode: 'local', input: FOREVER }],
      ['control.requested', { command: 'pause', commandId: pause.body.commandId, by: 'ann', reason: 'lunch' }],
      ['run.paused', { commandId: pause.body.commandId, by: 'ann', reason: 'lunch' }],
      ['control.requested', { command: 'resume', commandId: resume.body.commandId, by: 'bob' }],
      ['run.resumed', { commandId: resume.body.commandId, by: 'bob' }],
      ['control.requested', { command: 'cancel', commandId: cancel.body.commandId, by: 'cy' }],
      ['run.cancelled', { commandId: cancel.body.commandId, by: 'cy' }],
    ]);
    const reloaded = new Viewer('walk');
    expect(await reloaded.sees('run.cancelled')).toEqual(viewer.events);
    const { cursor: _, ...snapshot } = (await snapshotOf('walk')) as RunSnapshot & { cursor: string };
    expect(snapshot).toEqual(fold(viewer.events));
    expect(snapshot.commands.map(({ status, endSeq }) => [status, endSeq])).toEqual([
      ['applied', 3],
      ['applied', 5],
      ['applied', 7],
    ]);
    for (const command of ['cancel', 'pause', 'resume']) {
      expect(await send(`/v1/runs/walk/${command}`)).toEqual({ status: 200, body: { status: 'cancelled' } });
    }
  });

  test('shows in the list as paused, and stays so for whoever comes later', async () => {
    await send('/v1/runs', { agent: 'walker', input: FOREVER, runId: 'still' });
    await send('/v1/runs/still/pause');
    await new Viewer('still').sees('run.paused');
    expect(await (await fetch(`${url}/v1/runs?status=paused`)).json()).toMatchObject({ runs: [{ runId: 'still' }] });
    expect(await snapshotOf('still')).toMatchObject({ status: 'paused', commands: [{ status: 'applied' }] });
    await send('/v1/runs/still/cancel');
    await new Viewer('still').sees('run.cancelled');
  });
});

test('a run that waits for its turn cannot be paused or resumed, and is cancelled at once (P10)', async () => {
  await send('/v1/runs', { agent: 'one', runId: 'first' });
  expect((await send('/v1/runs', { agent: 'one', runId: 'second' })).body).toMatchObject({ status: 'queued' });
  for (const command of ['pause', 'resume']) {
    const { status, body } = await send(`/v1/runs/second/${command}`);
    expect([status, body]).toEqual([409, expect.objectContaining({ code: 'command_refused', retryable: false })]);
  }
  expect(await send('/v1/runs/second/cancel')).toMatchObject({ status: 202, body: { status: 'queued' } });
  expect(fold(await new Viewer('second').sees('run.cancelled')).commands).toMatchObject([{ status: 'applied' }]);
  await send('/v1/runs/first/cancel');
  await new Viewer('first').sees('run.cancelled');
});

describe('a run elsewhere (P8, P10)', () => {
  const append = (...events: object[]) => send('/v1/runs/far/events', { events });

  test('is told to its producer, who answers in the log: follows, or refuses', async () => {
    await send('/v1/runs', { agent: 'far', mode: 'remote', runId: 'far' });
    const viewer = new Viewer('far');
    const pause = (await send('/v1/runs/far/pause', { by: 'ann', reason: 'wait' })).body;
    const note = { type: 'custom', data: { name: 'n', value: 1 } };
    expect((await append(note)).body.commands).toEqual([
      { command: 'pause', commandId: pause.commandId, by: 'ann', reason: 'wait' },
    ]);
    const answered = await append({ type: 'run.paused', data: { commandId: pause.commandId } });
    expect(answered.body.commands).toBeUndefined();
    await viewer.sees('run.paused');
    const resume = (await send('/v1/runs/far/resume')).body;
    const error = { code: 'busy', message: 'Not now' };
    await append({ type: 'control.refused', data: { commandId: resume.commandId, error } });
    await viewer.sees('control.refused');
    expect(await snapshotOf('far')).toMatchObject({
      status: 'paused',
      commands: [{ status: 'applied' }, { status: 'refused', error }],
    });
    const cancel = (await send('/v1/runs/far/cancel')).body;
    await append({ type: 'run.cancelled', data: { commandId: cancel.commandId } });
    expect(fold(await viewer.sees('run.cancelled')).commands.map(({ status }) => status)).toEqual([
      ...['applied', 'refused', 'applied'],
    ]);
  });
});

describe('repeating a command (P8)', () => {
  const key = (it: string) => ({ 'idempotency-key': it });

  test('with its key gives the first answer; with something else under it 422', async () => {
    await send('/v1/runs', { agent: 'far', mode: 'remote', runId: 'again' });
    const first = await send('/v1/runs/again/pause', { reason: 'x' }, key('"k"'));
    const again = await send('/v1/runs/again/pause', { reason: 'x' }, key('k'));
    expect([first.status, again]).toEqual([202, { status: 200, body: { ...first.body, duplicate: true } }]);
    for (const [path, body] of [
      ['pause', { reason: 'y' }],
      ['pause', {}],
      ['resume', { reason: 'x' }],
      ['cancel', { reason: 'x' }],
    ] as const) {
      const other = await send(`/v1/runs/again/${path}`, body, key('k'));
      expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_conflict', retryable: false } });
    }
    expect((await snapshotOf('again')).commands).toHaveLength(1);
  });

  test.each<Fault>(['refused', 'answer lost'])(
    'while the log is away (%s) is a 503 with Retry-After, then safe',
    async (fault) => {
      let wrong: Fault = 'none';
      const log = faultyLog(openMemory(), () => wrong);
      const runs = new Runs(log);
      const hub = new Hub(log);
      const parts = { log, hub, runs, limits: LIMITS, allowedHosts: [], allowedOrigins: [], onError: () => {} };
      const server = createApp(parts);
      await runs.start({ agent: 'a', mode: 'remote', runId: 'r' });
      const ask = () => server.request('http://localhost/v1/runs/r/pause', { method: 'POST', headers: key('k') });
      wrong = fault;
      const refused = await ask();
      expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([503, true]);
      expect(await refused.json()).toMatchObject({ code: 'log_unavailable', retryable: true });
      wrong = 'none';
      expect((await ask()).status).toBe(fault === 'refused' ? 202 : 200);
      expect((await runs.snapshot('r')).commands).toHaveLength(1);
      await runs.close();
      await hub.close();
    },
  );
});
