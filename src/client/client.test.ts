import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test, vi } from 'vitest';
import { telltale } from '../index.ts';
import { emptySnapshot, resetFrame, revokedFrame, snapshotFrame, type TelltaleError } from '../protocol/index.ts';
import { all, clientOf, closed, closing, live, scripts, view } from './client.fixture.ts';
import { createClient } from './client.ts';
import { caughtUp, ended, event, hello, serve, serveScripts, started } from './scripted.fixture.ts';

describe('a run', () => {
  test('is folded as it comes, over cuts, torn frames and repeats, and closed at its end', async () => {
    const { client, requests } = await scripts(
      [hello(), started(), event(2), { half: event(3) }, 'drop'],
      [hello(), event(2), event(3), event(4), 'end'],
      [hello(), event(5), ended(6), 'end'],
    );
    const run = client.run('r1');
    expect(run.getSnapshot()).toMatchObject({ data: undefined, status: 'pending', connection: 'idle', lastSeq: 0 });
    const end = await view(run, closed);
    expect(end).toMatchObject({ status: 'completed', lastSeq: 6, error: undefined, attempt: 0, retryAt: undefined });
    expect(end.data).toMatchObject({ seq: 6, events: 6, status: 'completed' });
    expect(end.events.map((it) => it.seq)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(requests.map((it) => it.headers['last-event-id'])).toEqual([undefined, 'e1.2', 'e1.4']);
  });

  test('its run and its connection are two things: what is known stays while it reconnects', async () => {
    const { client } = await scripts([hello(), started(), caughtUp(1), 'end'], [{ status: 503, retryAfter: 20 }]);
    const run = client.run('r1');
    const cut = await view(run, (it) => (it.retryAt ?? 0) - Date.now() > 10_000);
    expect(cut).toMatchObject({ status: 'running', connection: 'reconnecting', error: { code: 'unreachable' } });
    expect(cut.data?.seq).toBe(1);
  });

  test('a new view is a new object, the same one until something changes, and none before a flush', async () => {
    const gate = Promise.withResolvers<void>();
    const delta = (seq: number) => event(seq, 'message.delta', undefined, { messageId: 'm', delta: `${seq} ` });
    const { client } = await scripts([
      ...[hello(), started(), delta(2), caughtUp(2), { until: gate.promise }],
      ...[delta(3) + delta(4) + delta(5), 'stay' as const],
    ]);
    const run = client.run('r1');
    const first = await view(run, live);
    expect(run.getSnapshot()).toBe(first);
    let flushes = 0;
    const last = new Promise<void>((resolve) => run.on('event', ({ event: { seq } }) => seq === 5 && resolve()));
    run.subscribe(() => flushes++);
    gate.resolve();
    await last;
    expect(run.getSnapshot()).toBe(first);
    const second = await view(run, (it) => it.lastSeq === 5);
    expect(flushes).toBe(1);
    expect([first, second].map((it) => it.data?.messages[0]?.text)).toEqual(['2 ', '2 3 4 5 ']);
    expect(second.data?.tools).toBe(first.data?.tools);
  });

  test('ten users of one run share one stream', async () => {
    const { client, requests } = await scripts([hello(), started(), caughtUp(1), 'stay']);
    const runs = Array.from({ length: 10 }, () => client.run('r1'));
    await Promise.all(runs.map((run) => view(run, live)));
    expect(new Set(runs).size).toBe(1);
    expect(requests).toHaveLength(1);
  });

  test('leaving and coming back at once keeps the connection; leaving for longer closes it, and what is known stays', async () => {
    const server = await scripts([hello(), started(), caughtUp(1), 'stay'], [hello(), event(2), caughtUp(2), 'stay']);
    const run = server.client.run('r1');
    await view(run, live);
    const leave = run.subscribe(() => {});
    leave();
    leave();
    run.subscribe(() => {})();
    await view(run, live);
    expect(server.requests).toHaveLength(1);
    await vi.waitFor(() => expect(run.getSnapshot().connection).toBe('idle'), 5000);
    await vi.waitFor(() => expect(server.open()).toBe(0));
    expect(run.getSnapshot()).toMatchObject({ status: 'running', lastSeq: 1 });
    await view(server.client.run('r1'), (it) => live(it) && it.lastSeq === 2);
    expect(server.requests[1]?.headers['last-event-id']).toBe('e1.1');
  });

  test('begins with the fold of the server where it is told to', async () => {
    const snapshot = { ...emptySnapshot('r1'), seq: 7, epoch: 'e1', status: 'running' as const };
    const { client, requests } = await scripts([hello(), snapshotFrame('e1.9', snapshot), event(10), ended(11), 'end']);
    const end = await view(client.run('r1', { from: 'snapshot' }), closed);
    expect(requests[0]?.url).toBe('/v1/runs/r1/stream?from=snapshot');
    expect(end.data).toMatchObject({ seq: 11, events: 2, status: 'completed' });
    expect(end.events.map((it) => it.seq)).toEqual([10, 11]);
  });

  test('goes on after what a server rendered', async () => {
    const initial = { ...emptySnapshot('r1'), seq: 7, epoch: 'e1', events: 7, status: 'running' as const };
    const { client, requests } = await scripts([hello(), ended(8), 'end']);
    const run = client.run('r1', { initial });
    expect(run.getServerSnapshot()).toMatchObject({
      status: 'running',
      lastSeq: 7,
      data: { seq: 7 },
      connection: 'idle',
    });
    expect((await view(run, closed)).data).toMatchObject({ events: 8, status: 'completed' });
    expect(requests[0]?.headers['last-event-id']).toBe('e1.7');
    expect(run.getServerSnapshot()).toMatchObject({ lastSeq: 7 });
  });

  test('a handler that throws is reported; the others, and the fold, go on', async () => {
    const server = await serveScripts([hello(), started(), ended(2), 'end']);
    closing.push(() => server.close());
    const errors: unknown[] = [];
    const run = clientOf(server.url, { onError: (error) => errors.push(error) }).run('r1');
    const seen: number[] = [];
    run.on('event', ({ event: { seq } }) => {
      throw new Error(`handler ${seq}`);
    });
    run.on('event', (it) => seen.push(it.event.seq));
    run.subscribe(() => {
      throw new Error('listener');
    });
    expect((await view(run, closed)).lastSeq).toBe(2);
    expect(seen).toEqual([1, 2]);
    expect(errors.map(String)).toEqual(
      expect.arrayContaining(['Error: handler 1', 'Error: handler 2', 'Error: listener']),
    );
  });

  test('an event that makes no sense closes it, and asked again it begins at the beginning', async () => {
    const { client, requests } = await scripts(
      [hello(), started(), event(2, 'plan.created', undefined, {}), 'stay'],
      [hello(), started(), event(2), ended(3), 'end'],
    );
    const run = client.run('r1');
    const leave = run.use();
    expect((await view(run, closed)).error?.code).toBe('invalid_event');
    run.reconnect();
    expect(await view(run, (it) => it.lastSeq === 3)).toMatchObject({ error: undefined, data: { events: 3 } });
    leave();
    expect(requests[1]?.headers['last-event-id']).toBeUndefined();
  });

  test('P6: access that has expired is asked for anew, and the stream goes on where it was', async () => {
    const server = await serveScripts(
      [hello(), started(), event(2), revokedFrame('expired'), 'end'],
      [hello(), event(3), ended(4), 'end'],
    );
    closing.push(() => server.close());
    let token = 0;
    const headers = async () => ({ authorization: `Bearer ${++token}` });
    const end = await view(clientOf(server.url, { headers }).run('r1'), closed);
    expect(end).toMatchObject({ status: 'completed', error: undefined, lastSeq: 4 });
    const asked = server.requests.map((it) => [it.headers.authorization, it.headers['last-event-id']]);
    expect(asked).toEqual([
      ['Bearer 1', undefined],
      ['Bearer 2', 'e1.2'],
    ]);
  });

  test('P6: access that was taken back closes the stream for good; what is known of the run stays', async () => {
    const { client, requests } = await scripts([hello(), started(), event(2), revokedFrame('revoked'), 'end']);
    const end = await view(client.run('r1'), closed);
    expect(end).toMatchObject({ status: 'running', lastSeq: 2, error: { code: 'access_revoked', retryable: false } });
    expect(requests).toHaveLength(1);
  });

  test('headers are asked for with each connection', async () => {
    const server = await serveScripts([hello(), started(), 'end'], [hello(), ended(2), 'end']);
    closing.push(() => server.close());
    let token = 0;
    const headers = async () => ({ authorization: `Bearer ${++token}` });
    await view(clientOf(server.url, { headers }).run('r1'), closed);
    expect(server.requests.map((it) => it.headers.authorization)).toEqual(['Bearer 1', 'Bearer 2']);
  });

  test('closing the client ends everything', async () => {
    const server = await scripts([hello(), started(), caughtUp(1), 'stay']);
    const run = server.client.run('r1');
    await view(run, live);
    const reading = all(run.events());
    server.client.close();
    expect(await reading).toEqual([1]);
    expect(run.getSnapshot().connection).toBe('idle');
    await vi.waitFor(() => expect(server.open()).toBe(0));
    run.subscribe(() => {});
    expect(run.getSnapshot().connection).toBe('idle');
  });

  test('holds nothing once it has ended, or everybody has left: a program that watched ends by itself', async () => {
    const server = await serveScripts([hello(), started(), ended(2), 'end'], [hello(), started(), caughtUp(1), 'stay']);
    closing.push(() => server.close());
    const program = `
      import { createClient } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
      const client = createClient({ url: ${JSON.stringify(server.url)} });
      const until = (run, phase) => new Promise((resolve) => {
        const leave = run.subscribe(() => run.getSnapshot().connection === phase && resolve(leave));
      });
      await until(client.run('r1'), 'closed');
      (await until(client.run('r1', { from: 'snapshot' }), 'live'))();
    `;
    const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', program], { stdio: 'inherit' });
    closing.push(() => child.kill('SIGKILL'));
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(server.requests).toHaveLength(2);
  });

  test('closing the client leaves what has ended as it is', async () => {
    const { client } = await scripts([hello(), started(), ended(2), 'end']);
    const run = client.run('r1');
    await view(run, closed);
    client.close();
    expect(run.getSnapshot()).toMatchObject({ connection: 'closed', status: 'completed' });
  });
});

describe('a reset', () => {
  const head = {
    epoch: 'e2',
    first: 1,
    last: 9,
    epochs: [
      { id: 'e1', after: 0 },
      { id: 'e2', after: 2 },
    ],
  };
  const reset = resetFrame({ reason: 'diverged', shared: 2 }, 2, head);

  test('is told, and folded anew from the beginning; what was shown stays until that is done (P7)', async () => {
    const gate = Promise.withResolvers<void>();
    const { client, requests } = await scripts(
      [hello(), started(), event(2), event(3), caughtUp(3), 'end'],
      // What follows the reset at once is the middle of the log.
      [hello(), reset + event(3) + event(4), 'stay'],
      [
        hello(),
        started(),
        event(2),
        { until: gate.promise },
        event(3, 'status.updated', 2, { status: 'other' }),
        ended(4),
        'end',
      ],
    );
    const run = client.run('r1');
    const resets: unknown[] = [];
    run.on('reset', (it) => resets.push(it.reset));
    const void_ = await view(run, (it) => it.resets === 1 && it.events.length === 2);
    expect(void_).toMatchObject({ data: { seq: 3 }, connection: 'catching-up' });
    expect(resets).toMatchObject([{ reason: 'diverged', shared: 2, after: 2 }]);
    gate.resolve();
    const end = await view(run, closed);
    expect(end.data).toMatchObject({ events: 4, statusText: 'other', status: 'completed' });
    expect(requests.map((it) => it.headers['last-event-id'])).toEqual([undefined, 'e1.3', undefined]);
  });

  test('ends the iterators that are beyond it, and no others', async () => {
    const gate = Promise.withResolvers<void>();
    const { client } = await scripts(
      [hello(), started(), event(2), event(3), caughtUp(3), { until: gate.promise }, 'end'],
      [hello(), reset, 'stay'],
      [hello(), started(), event(2), event(3, 'other'), ended(4), 'end'],
    );
    const run = client.run('r1');
    const behind = run.events();
    const ahead = run.events();
    expect((await behind.next()).value?.seq).toBe(1);
    for (const seq of [1, 2, 3]) expect((await ahead.next()).value?.seq).toBe(seq);
    gate.resolve();
    await expect(ahead.next()).rejects.toMatchObject({ code: 'invalid_cursor', particulars: { shared: 2 } });
    // What it had in its hands is void as well: it is given what took its place.
    const given: string[] = [];
    for await (const { seq, type } of behind) given.push(`${seq} ${type}`);
    expect(given).toEqual(['2 custom', '3 other', '4 run.completed']);
  });

  test('again and again without anything new ends in an error, not in a loop', async () => {
    const { client, requests } = await scripts([hello(), started(), 'end'], [hello(), reset, 'stay']);
    const end = await view(client.run('r1'), closed);
    expect(end.error).toMatchObject({ code: 'stream_broken' });
    expect(requests.length).toBeLessThan(10);
  });
});

describe('runs of a real server', () => {
  test('are started, listed, cancelled, and read; a thread shows all of its runs', async () => {
    const app = telltale({ store: 'memory:' });
    closing.push(() => app.close());
    app.agent('greeter', (run, name) => run.say(`Hello ${String(name)}.`));
    app.agent(
      'patient',
      (run) => new Promise((_, reject) => run.signal.addEventListener('abort', () => reject(run.signal.reason))),
    );
    const { url } = await app.listen(0);
    const client = clientOf(`${url}/`);
    const first = await client.start({ agent: 'greeter', input: 'you', threadId: 't1' });
    const thread = client.thread('t1');
    await view(thread, (it) => it.data?.runs[0]?.status === 'completed');
    const second = client.run((await client.start({ agent: 'patient', threadId: 't1' })).runId);
    await view(second, live);
    await second.cancel({ by: 'me' });
    expect((await view(second, closed)).status).toBe('cancelled');
    const both = await view(thread, (it) => it.data?.runs[1]?.status === 'cancelled');
    expect(both.data?.runs.map((it) => it.runId)).toEqual([first.runId, second.runId]);
    expect(both.data?.runs[0]?.messages[0]?.text).toBe('Hello you.');
    expect((await client.list({ threadId: 't1' })).runs.map((it) => it.runId)).toEqual([second.runId, first.runId]);
    const { cursor: _, ...snapshot } = await client.snapshot(second.runId);
    expect(second.getSnapshot().data).toEqual(snapshot);
    expect((await client.events(first.runId, { limit: 2 })).events.map((it) => it.seq)).toEqual([1, 2]);
  });

  test('a start that gets no answer is sent again under the same key, and a refusal is not', async () => {
    const started = { runId: 'r1', threadId: 'r1', status: 'running', cursor: 'e1.1' };
    const server = await serve((_, response, request) => {
      if (request === 1) return response.destroy();
      if (request === 2)
        return response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(started));
      return response.writeHead(404, { 'content-type': 'application/json' }).end('{"code":"agent_not_found"}');
    });
    closing.push(() => server.close());
    const client = clientOf(server.url);
    expect(await client.start({ agent: 'a' })).toEqual(started);
    const [one, two] = server.requests.map((it) => it.headers['idempotency-key']);
    expect(one).toMatch(/^[a-z0-9]{25}$/);
    expect(two).toBe(one);
    await expect(client.start({ agent: 'b' }, 'mine')).rejects.toMatchObject({ code: 'agent_not_found' });
    expect(server.requests.slice(2).map((it) => it.headers['idempotency-key'])).toEqual(['mine']);
  });

  test('what is said to a run goes where it belongs, once more under the same key where no answer comes', async () => {
    const bodies: unknown[] = [];
    const server = await serve(async (request, response, count) => {
      bodies.push(JSON.parse((await request.toArray()).join('')));
      const full = count === 1 && '{"code":"overloaded"}';
      const late = count === 3 && '{"code":"already_decided","decision":"deny","by":"dana"}';
      response.writeHead(full ? 503 : late ? 409 : 200, { 'content-type': 'application/json' });
      response.end(full || late || '{"status":"running","commandId":"c1","seq":3}');
    });
    closing.push(() => server.close());
    const run = clientOf(server.url).run('r1');
    expect(await run.pause({ reason: 'lunch' })).toEqual({ status: 'running', commandId: 'c1', seq: 3 });
    const late = run.approve('a/1', { comment: 'fine' }, 'mine');
    await expect(late).rejects.toMatchObject({
      code: 'already_decided',
      particulars: { decision: 'deny', by: 'dana' },
    });
    await run.resume();
    await run.deny('a1');
    await run.answer('a1', 'later', { by: 'ada' });
    await run.input(['and', null], { by: 'ada' });
    await run.cancel();
    expect(server.requests.map((it, i) => [it.method, it.url, bodies[i]])).toEqual([
      ...Array(2).fill(['POST', '/v1/runs/r1/pause', { reason: 'lunch' }]),
      ['POST', '/v1/runs/r1/approvals/a%2F1', { decision: 'approve', comment: 'fine' }],
      ['POST', '/v1/runs/r1/resume', {}],
      ['POST', '/v1/runs/r1/approvals/a1', { decision: 'deny' }],
      ['POST', '/v1/runs/r1/approvals/a1', { decision: 'later', by: 'ada' }],
      ['POST', '/v1/runs/r1/input', { input: ['and', null], by: 'ada' }],
      ['POST', '/v1/runs/r1/cancel', {}],
    ]);
    const keys = server.requests.map((it) => it.headers['idempotency-key']);
    expect(keys[1]).toBe(keys[0]);
    expect(keys[2]).toBe('mine');
    expect(new Set(keys).size).toBe(7);
  });

  test('a run is asked to pause, answered and told something; the log says it to everybody', async () => {
    const app = telltale({ store: 'memory:' });
    closing.push(() => app.close());
    const { url } = await app.listen(0);
    const client = clientOf(url);
    const run = client.run((await client.start({ agent: 'a', mode: 'remote' })).runId);
    const asked = [{ type: 'approval.requested', data: { approvalId: 'a1', prompt: 'May I?' } }];
    const headers = { 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify({ events: asked }) };
    await fetch(`${url}/v1/runs/${run.runId}/events`, init);
    const first = await run.deny('a1', { by: 'dana', comment: 'Not yet' }, 'k1');
    expect(first).toMatchObject({ approvalId: 'a1', decision: 'deny', by: 'dana' });
    expect(await run.deny('a1', { by: 'dana', comment: 'Not yet' }, 'k1')).toMatchObject({ ...first, duplicate: true });
    const late = { code: 'already_decided', particulars: { decision: 'deny', by: 'dana' } };
    await expect(run.approve('a1')).rejects.toMatchObject(late);
    expect(await run.input({ also: 'this' })).toMatchObject({ seq: expect.any(Number) as number });
    const { commandId } = await run.pause({ by: 'dana', reason: 'lunch' });
    const { data } = await view(run, (it) => it.data?.commands.length === 1);
    expect(data?.commands[0]).toMatchObject({ id: commandId, command: 'pause', by: 'dana', reason: 'lunch' });
    expect(data?.approvals[0]).toMatchObject({ status: 'resolved', decision: 'deny', by: 'dana', comment: 'Not yet' });
    expect(data?.inputs[0]).toMatchObject({ input: { also: 'this' } });
  });

  test('runs that nobody uses leave memory, the oldest first', async () => {
    const client = clientOf('http://127.0.0.1:9', { keep: 2 });
    const [a, b] = [client.run('a'), client.run('b')];
    client.run('c');
    expect(client.run('b')).toBe(b);
    expect(client.run('a')).not.toBe(a);
  });
});

test.each(['', 'nowhere', 'ftp://host', 'http://', '/path'])('%j is no address of a server', (url) => {
  expect(() => createClient({ url })).toThrow(expect.objectContaining({ code: 'invalid_option' }) as TelltaleError);
});
