import { describe, expect, test, vi } from 'vitest';
import { telltale } from '../index.ts';
import type { TelltaleEvent } from '../protocol/index.ts';
import { all, clientOf, closed, closing, scripts, seqs, view } from './client.fixture.ts';
import { eventsBefore } from './events-before.ts';
import { caughtUp, ended, hello, play, serve, started } from './scripted.fixture.ts';

describe('events()', () => {
  test('gives everything to everybody over one stream, and reads what left the window from the server', async () => {
    const app = telltale({ store: 'memory:' });
    closing.push(() => app.close());
    app.agent('many', async (run) => {
      for (let i = 0; i < 2000; i++) run.custom('n', i);
    });
    const { url } = await app.listen(0);
    const paths: string[] = [];
    const fetch: typeof globalThis.fetch = (input, init) => {
      paths.push(new URL(String(input)).pathname);
      return globalThis.fetch(input, init);
    };
    const client = clientOf(url, { window: 10, fetch });
    const { runId } = await client.start({ agent: 'many' });
    const run = client.run(runId);
    await view(run, closed);
    const [one, two] = await Promise.all([all(run.events()), all(run.events())]);
    expect(one).toEqual(Array.from({ length: 2002 }, (_, i) => i + 1));
    expect(two).toEqual(one);
    expect(run.getSnapshot().events).toHaveLength(10);
    expect(paths.filter((it) => it.endsWith('/stream'))).toHaveLength(1);
  });

  test('reads what it cannot take from a merged frame, and is done when the view is', async () => {
    const merged = `id: e1.5\nevent: message.delta\ndata: {"seq":5,"prev":1,"first":2,"count":4,"epoch":"e1","runId":"r1","type":"message.delta","data":{"messageId":"m","delta":"abcd"}}\n\n`;
    const page = {
      events: [4, 5].map((seq) => ({ seq, epoch: 'e1', runId: 'r1', type: 'message.delta', data: {} })),
      ...{ cursor: 'e1.5', more: true },
    };
    const server = await serve((request, response) => {
      if (request.url?.includes('/stream')) return play(response, [hello(), started() + merged + ended(6), 'end']);
      expect(request.url).toBe('/v1/runs/r1/events?after=e1.3&limit=1000');
      return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(page));
    });
    closing.push(() => server.close());
    const run = clientOf(server.url).run('r1');
    expect(await all(run.events('e1.1'))).toEqual([5, 6]);
    expect(run.getSnapshot()).toMatchObject({ status: 'completed', connection: 'closed' });
    expect(await all(run.events('e1.3'))).toEqual([4, 5, 6]);
  });

  test('eventsBefore reads what came before, also across the 1 MiB of a page and the events of other runs', async () => {
    const app = telltale({ store: 'memory:' });
    closing.push(() => app.close());
    const { url } = await app.listen(0);
    const post = (path: string, body: unknown) =>
      fetch(url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const write = (runId: string, count: number, size = 1) =>
      post(`/v1/runs/${runId}/events`, {
        events: Array.from({ length: count }, () => ({ type: 'custom', data: { name: 'n', value: 'x'.repeat(size) } })),
      });
    for (const runId of ['a', 'b']) await post('/v1/runs', { agent: 'a', runId, threadId: 't', mode: 'remote' });
    await write('a', 3);
    await write('b', 900);
    for (let i = 0; i < 3; i++) await write('a', 5, 180_000);
    await write('a', 1);
    const run = clientOf(url, { window: 1 }).run('a');
    const newest = (await view(run, (it) => it.lastSeq === 921)).events[0] as TelltaleEvent;
    const page = await eventsBefore(run, newest, 16);
    expect(seqs(page)).toEqual(Array.from({ length: 15 }, (_, i) => 906 + i));
    const older = await eventsBefore(run, page[0] as TelltaleEvent, 3);
    expect(seqs(older)).toEqual([3, 4, 5]);
    expect(seqs(await eventsBefore(run, older[0] as TelltaleEvent))).toEqual([1]);
    expect(await eventsBefore(run, { epoch: newest.epoch, seq: 1 })).toEqual([]);
  });

  test('leaves with the reader', async () => {
    const server = await scripts([hello(), started(), caughtUp(1), 'stay']);
    for await (const { seq } of server.client.run('r1').events()) {
      expect(seq).toBe(1);
      break;
    }
    await vi.waitFor(() => expect(server.open()).toBe(0), 5000);
  });
});
