/** Waiting, time-outs and runs of runs, as somebody sees them who did not start them: over HTTP, from the log alone. */
import { afterEach, describe, expect, test } from 'vitest';
import { follow } from '../client/index.ts';
import { type Telltale, type TelltaleOptions, telltale } from '../index.ts';
import { emptySnapshot, type RunSnapshot, reduceAll, type TelltaleEvent } from '../protocol/index.ts';

let app: Telltale;
let url: string;
/** Lets the run of this id come to its end. */
const gates = new Map<string, PromiseWithResolvers<void>>();
const begun: string[] = [];
afterEach(() => app.close());

async function serve(options: TelltaleOptions = {}, about: Parameters<Telltale['agent']>[2] = {}): Promise<void> {
  app = telltale({ store: 'memory:', ...options });
  const waits: Parameters<Telltale['agent']>[1] = async (run) => {
    begun.push(run.runId);
    const gate = Promise.withResolvers<void>();
    gates.set(run.runId, gate);
    run.signal.addEventListener('abort', () => gate.resolve());
    await gate.promise;
    return run.runId;
  };
  app.agent('waits', waits, about);
  app.agent('other', waits);
  app.agent('caller', (run, agent: string) => run.child(agent, 'from the caller'));
  ({ url } = await app.listen(0));
  begun.length = 0;
  gates.clear();
}

async function call(method: string, path: string, body?: object, headers: Record<string, string> = {}) {
  const answer = await fetch(url + path, {
    method,
    ...(body && { body: JSON.stringify(body) }),
    headers: { 'content-type': 'application/json', connection: 'close', ...headers },
  });
  // biome-ignore lint/suspicious/noExplicitAny: answers of every route, compared member by member
  const json = (await answer.json()) as any;
  return { status: answer.status, headers: answer.headers, body: json };
}
const start = (runId: string, more: object = {}) => call('POST', '/v1/runs', { agent: 'waits', runId, ...more });
const snapshot = async (runId: string): Promise<RunSnapshot> => (await call('GET', `/v1/runs/${runId}`)).body;

/** A viewer: what its stream has told so far. */
class Viewer {
  readonly events: TelltaleEvent[] = [];
  readonly ended: Promise<void>;
  #look = () => {};

  constructor(runId: string) {
    this.ended = (async () => {
      for await (const item of follow(`${url}/v1/runs/${runId}/stream?coalesce=off`)) {
        if (item.kind === 'event') this.events.push(item.event);
        this.#look();
      }
    })();
  }

  get types(): string[] {
    return this.events.map(({ type }) => type);
  }

  /** The latest position that was told. */
  get position(): unknown {
    return this.events.map(({ data }) => (data as { position?: number }).position).findLast((it) => it !== undefined);
  }

  async until(isThere: () => boolean): Promise<void> {
    while (!isThere()) {
      await new Promise<void>((resolve) => {
        this.#look = resolve;
      });
    }
  }
}

/** A new stream from the start, and the snapshot, say what the first viewer saw. */
async function survivesReload(viewer: Viewer, runId: string): Promise<void> {
  await viewer.ended;
  const again = new Viewer(runId);
  await again.ended;
  expect(again.events).toEqual(viewer.events);
  const { cursor: _, ...now } = (await snapshot(runId)) as RunSnapshot & { cursor: string };
  expect(reduceAll(emptySnapshot(runId), viewer.events)).toEqual(now);
}

describe('a run that has to wait (P8, P10)', () => {
  test('is queued with its position, is told how it moves, starts in its turn, and is the same after a reload', async () => {
    await serve({ concurrency: 1 });
    expect((await start('a')).body).toMatchObject({ status: 'running' });
    const answers = [await start('b'), await start('c', { input: { n: 1 } }), await start('d')];
    expect(answers.map(({ status, body }) => [status, body.status, body.position])).toEqual([
      [201, 'queued', 0],
      [201, 'queued', 1],
      [201, 'queued', 2],
    ]);
    const viewers = ['b', 'c', 'd'].map((runId) => new Viewer(runId));
    const [b, c, d] = viewers as [Viewer, Viewer, Viewer];
    await d.until(() => d.events.length === 1);
    expect(d.events[0]).toMatchObject({ type: 'run.queued', data: { agent: 'waits', mode: 'local', position: 2 } });
    expect(await snapshot('d')).toMatchObject({ status: 'queued', position: 2, queuedAt: expect.any(String) });
    const listed = (await call('GET', '/v1/runs?status=queued')).body.runs.map(({ runId }: RunSnapshot) => runId);
    expect(listed).toEqual(['d', 'c', 'b']);

    gates.get('a')!.resolve();
    await b.until(() => b.types.includes('run.started'));
    await d.until(() => d.position === 1);
    expect((await snapshot('b')).position).toBeUndefined();
    gates.get('b')!.resolve();
    await c.until(() => c.types.includes('run.started'));
    expect(c.events.find(({ type }) => type === 'run.started')!.data).toEqual({
      agent: 'waits',
      mode: 'local',
      input: { n: 1 },
    });
    gates.get('c')!.resolve();
    await d.until(() => d.types.includes('run.started'));
    gates.get('d')!.resolve();
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
    for (const [index, viewer] of viewers.entries()) await survivesReload(viewer, 'bcd'[index]!);
    for (const { types } of viewers) {
      expect(types.filter((type) => type !== 'run.queued')).toEqual(['run.started', 'run.completed']);
    }
  });

  test('is cancelled at once, never starts, and those behind it move up', async () => {
    await serve({ concurrency: 1 });
    await start('a');
    await start('b');
    await start('c');
    const [b, c] = [new Viewer('b'), new Viewer('c')];
    await c.until(() => c.events.length === 1);
    expect((await call('POST', '/v1/runs/b/pause')).body.code).toBe('command_refused');
    expect((await call('POST', '/v1/runs/b/cancel', { by: 'ann', reason: 'no longer needed' })).status).toBe(202);
    await b.ended;
    expect(b.types).toEqual(['run.queued', 'control.requested', 'run.cancelled']);
    expect(b.events.at(-1)!.data).toEqual({
      by: 'ann',
      reason: 'no longer needed',
      commandId: (b.events[1]!.data as { commandId: string }).commandId,
    });
    await c.until(() => c.position === 0);
    gates.get('a')!.resolve();
    await c.until(() => c.types.includes('run.started'));
    expect(begun).toEqual(['a', 'c']);
    gates.get('c')!.resolve();
    await survivesReload(b, 'b');
    await survivesReload(c, 'c');
  });

  test('waits for its own agent alone where that has a limit of its own', async () => {
    await serve({ concurrency: 3 }, { concurrency: 1 });
    expect((await start('a')).body.status).toBe('running');
    expect((await start('b')).body).toMatchObject({ status: 'queued', position: 0 });
    expect((await start('o1', { agent: 'other' })).body.status).toBe('running');
    expect((await start('o2', { agent: 'other' })).body.status).toBe('running');
    expect((await start('o3', { agent: 'other' })).body).toMatchObject({ status: 'queued', position: 0 });
    const o3 = new Viewer('o3');
    gates.get('o1')!.resolve();
    await o3.until(() => o3.types.includes('run.started'));
    expect((await snapshot('b')).status).toBe('queued');
  });

  test('is refused where too many wait: 503 with Retry-After, and nothing is stored', async () => {
    const told: unknown[] = [];
    await serve({ concurrency: 1, maxQueued: 1, onError: (error) => told.push(error) });
    await start('a');
    await start('b');
    const refused = await start('c');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(told, 'a limit that holds is no fault of the server').toEqual([]);
    expect(refused.body).toMatchObject({ code: 'overloaded', retryable: true, maxQueued: 1 });
    expect((await call('GET', '/v1/runs/c')).status).toBe(404);
    expect((await call('GET', '/v1/runs')).body.runs).toHaveLength(2);
    await call('POST', '/v1/runs/b/cancel');
    await new Viewer('b').ended;
    expect((await start('c')).body.status).toBe('queued');
  });

  test('a start that is sent again under its key is answered as queued, and takes no second place', async () => {
    await serve({ concurrency: 1, maxQueued: 1 });
    await start('a');
    const again = () => call('POST', '/v1/runs', { agent: 'waits' }, { 'idempotency-key': 'k' });
    const first = await again();
    expect([first.status, first.body.status, first.body.position]).toEqual([201, 'queued', 0]);
    const second = await again();
    expect([second.status, second.body]).toMatchObject([
      200,
      { runId: first.body.runId, status: 'queued', cursor: first.body.cursor, duplicate: true },
    ]);
    gates.get('a')!.resolve();
    const viewer = new Viewer(first.body.runId);
    await viewer.until(() => viewer.types.includes('run.started'));
    expect(begun).toEqual(['a', first.body.runId]);
  });

  test('a start that is refused leaves no place taken', async () => {
    await serve({ concurrency: 1 });
    await start('a');
    expect((await start('a')).body.code).toBe('run_exists');
    expect((await start('b')).body.position).toBe(0);
  });

  test('the live list shows that it waits, and that it starts', async () => {
    await serve({ concurrency: 1 });
    await start('a');
    await start('b');
    const leave = new AbortController();
    const list = await fetch(`${url}/v1/runs`, { headers: { accept: 'text/event-stream' }, signal: leave.signal });
    let text = '';
    const told = (async () => {
      for await (const chunk of list.body!.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        if (text.includes('stream.caught-up')) gates.get('a')!.resolve();
        if (/"runId":"b"[^\n]*"status":"running"/.test(text)) return;
      }
    })();
    await told;
    leave.abort();
    expect(text).toMatch(/"runId":"b"[^\n]*"status":"queued"/);
  });

  test('a server that stops ends it as it ends those that run', async () => {
    await serve({ concurrency: 1 });
    await start('a');
    await start('b');
    const viewer = new Viewer('b');
    await viewer.until(() => viewer.events.length === 1);
    const log = await app.log();
    const runs = ['a', 'b'].map((runId) => log.runs.get(runId));
    expect((await Promise.all(runs)).map((run) => run?.status)).toEqual(['running', 'queued']);
    const ends: unknown[] = [];
    const append = log.append.bind(log);
    log.append = (threadId, batch, options) => {
      if (options.closes) ends.push([threadId, batch.at(-1)!.type, batch.at(-1)!.rest.includes('executor_lost')]);
      return append(threadId, batch, options);
    };
    await app.close();
    expect(ends.sort()).toEqual([
      ['a', 'run.failed', true],
      ['b', 'run.failed', true],
    ]);
    expect(begun).toEqual(['a']);
    // The stream of a server that is gone: the client would wait for it to come back.
    viewer.ended.catch(() => undefined);
  });
});

describe('a time-out (P8, P10)', () => {
  test.each([
    ['asked for', {}, {}, { timeout: 1 }],
    ['of the agent, which is smaller', {}, { timeout: 1 }, { timeout: 60 }],
    ['of the server, which is smaller', { timeout: 1 }, { timeout: 60 }, {}],
  ])('%s ends the run as timed_out, and its agent is told', async (_, options, about, request) => {
    await serve(options, about);
    await start('a', request);
    const viewer = new Viewer('a');
    await viewer.ended;
    expect(viewer.events.at(-1)).toMatchObject({
      type: 'run.failed',
      data: { error: { code: 'timed_out', message: expect.stringContaining('1 s'), retryable: true } },
    });
    await survivesReload(viewer, 'a');
  });

  test('does not count while the run waits for its turn, or is paused', async () => {
    await serve({ concurrency: 1 });
    app.agent('checks', async (run) => {
      begun.push(run.runId);
      while (!gates.has('go')) await run.checkpoint();
      return 'in time';
    });
    await start('a');
    await start('b', { agent: 'checks', timeout: 1 });
    const viewer = new Viewer('b');
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect(viewer.types).toEqual(['run.queued']);
    gates.get('a')!.resolve();
    await viewer.until(() => viewer.types.includes('run.started'));
    await call('POST', '/v1/runs/b/pause');
    await viewer.until(() => viewer.types.includes('run.paused'));
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    gates.set('go', Promise.withResolvers());
    await call('POST', '/v1/runs/b/resume');
    await viewer.ended;
    expect(viewer.events.at(-1)).toMatchObject({ type: 'run.completed', data: { output: 'in time' } });
  });

  test.each([0, 86_401, 1.5, '5', null])('of %j is refused, and so is any for a remote run', async (timeout) => {
    await serve();
    expect((await start('a', { timeout })).body).toMatchObject({ code: 'invalid_request' });
    const remote = await start('a', { timeout: 5, mode: 'remote' });
    expect(remote.body).toMatchObject({ code: 'invalid_request', detail: expect.stringContaining('lease') });
    expect((await call('GET', '/v1/runs')).body.runs).toEqual([]);
  });

  test('and limits that are none are refused when the server is set up', async () => {
    await serve();
    expect(() => telltale({ concurrency: 0 })).toThrow('concurrency');
    expect(() => telltale({ maxQueued: -1 })).toThrow('maxQueued');
    expect(() => telltale({ timeout: 1e9 })).toThrow('timeout');
    expect(() => app.agent('x', () => 1, { concurrency: 1.5 })).toThrow('concurrency');
    expect(() => app.agent('x', () => 1, { timeout: Number.NaN })).toThrow('timeout');
  });
});

describe('a run of a run (P10)', () => {
  test('runs although the server is full, is seen from its parent and from its thread, and ends with it', async () => {
    await serve({ concurrency: 1 });
    await start('p', { agent: 'caller', input: 'waits' });
    const parent = new Viewer('p');
    await parent.until(() => parent.types.includes('agent.started'));
    const { childRunId } = parent.events.at(-1)!.data as { childRunId: string };
    expect((await snapshot('p')).agents).toMatchObject([{ name: 'waits', childRunId, status: 'running' }]);
    const child = new Viewer(childRunId);
    await child.until(() => child.types.includes('run.started'));
    expect(child.events[0]).toMatchObject({ parentRunId: 'p', threadId: 'p', data: { input: 'from the caller' } });
    const { runs } = (await call('GET', '/v1/runs?threadId=p')).body;
    expect(runs.map(({ runId, parentRunId }: RunSnapshot) => [runId, parentRunId])).toEqual(
      expect.arrayContaining([
        ['p', undefined],
        [childRunId, 'p'],
      ]),
    );
    await call('POST', '/v1/runs/p/cancel', { by: 'ann' });
    await Promise.all([parent.ended, child.ended]);
    expect([parent.types.at(-1), child.types.at(-1)]).toEqual(['run.cancelled', 'run.cancelled']);
    await survivesReload(parent, 'p');
    await survivesReload(child, childRunId);
  });
});
