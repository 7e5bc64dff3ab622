/** Several runs and threads of one client over one connection: added and dropped, cut, deleted, more than sixteen (P4, P6, P7). */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type StreamServer, streamServer } from '../http/stream.fixture.ts';
import { append, custom, delta, END, START } from '../hub/drafts.fixture.ts';
import { until } from '../hub/recording.fixture.ts';
import { deltasOf, parseComposite, streamKey } from '../protocol/index.ts';
import { faultyProxy } from '../testing/faulty-proxy.ts';
import { clientOf, closed, live, view } from './client.fixture.ts';
import type { Client } from './client.ts';
import type { Run } from './run.ts';

let server: StreamServer;

beforeEach(async () => {
  server = await streamServer({ heartbeatMs: 1_000 });
});
afterEach(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
});

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `r${i}`);
const begin = (runs: readonly string[]) => Promise.all(runs.map((id) => append(server.log, id, [START, custom(id)])));
const end = (runs: readonly string[]) => Promise.all(runs.map((id) => append(server.log, id, [END])));

/** Everything that a run was told, by number; and its phases. */
function watch(client: Client, id: string): { run: Run; seqs: number[]; phases: string[]; leave: () => void } {
  const run = client.run(id);
  const seqs: number[] = [];
  const phases: string[] = [];
  const off = run.on('event', ({ event: { seq, first = seq } }) => {
    for (let it = first; it <= seq; it++) seqs.push(it);
  });
  const leave = run.subscribe(() => {
    const { connection } = run.getSnapshot();
    if (phases.at(-1) !== connection) phases.push(connection);
  });
  return {
    run,
    seqs,
    phases,
    leave() {
      off();
      leave();
    },
  };
}

/** A client that shares, and what it asks for: path, query and cursor. */
function recorded(): { client: Client; asked: [string, string | null][] } {
  const asked: [string, string | null][] = [];
  const client = clientOf(server.url, {
    share: true,
    fetch(input, init) {
      asked.push([String(input).slice(server.url.length), new Headers(init?.headers).get('last-event-id')]);
      return fetch(input, init);
    },
  });
  return { client, asked };
}

/** Whether the newest connection is for these runs. */
const isFor = (asked: readonly (readonly [string, unknown])[], runs: readonly string[]): boolean =>
  [...(asked.at(-1)?.[0].matchAll(/run=(\w+)/g) ?? [])]
    .map(([, id]) => id)
    .sort()
    .join() === runs.join();

async function expectSame({ run, seqs }: { run: Run; seqs: readonly number[] }): Promise<void> {
  const { cursor: _cursor, ...snapshot } = await clientOf(server.url).snapshot(run.runId);
  expect(run.getSnapshot().data).toEqual(snapshot);
  expect(seqs).toEqual(Array.from({ length: snapshot.seq }, (_, i) => i + 1));
}

describe('several runs share a connection', () => {
  test('the first has one of its own until there is a second, and goes over without a word', async () => {
    await begin(names(8));
    const { client, asked } = recorded();
    const first = watch(client, 'r0');
    await view(first.run, live);
    expect(server.hub.viewers).toBe(1);
    const rest = names(8)
      .slice(1)
      .map((id) => watch(client, id));
    await Promise.all(rest.map(({ run }) => view(run, live)));
    await until(() => server.hub.viewers === 1);
    const query = [...names(8).slice(1), 'r0'].map((id) => `run=${id}`).join('&');
    expect(asked).toEqual([
      ['/v1/runs/r0/stream', null],
      [`/v1/stream?${query}`, expect.any(String)],
    ]);
    // It goes on where it was.
    expect(parseComposite(asked[1]?.[1] ?? '')?.get(streamKey('run:r0'))?.seq).toBe(2);
    await end(names(8));
    const all = [first, ...rest];
    await Promise.all(all.map(({ run }) => view(run, closed)));
    for (const it of all) await expectSame(it);
    expect(first.phases).toEqual(
      ['connecting', 'catching-up', 'live', 'closed'].filter((it) => first.phases.includes(it)),
    );
    expect(first.phases).not.toContain('reconnecting');
  });

  test('what is added or dropped while events flow is no news to the others', async () => {
    await begin(names(6));
    const { client, asked } = recorded();
    const stays = [watch(client, 'r0'), watch(client, 'r1')];
    let greeted = 0;
    for (const { run } of stays) run.on('connected', () => greeted++);
    await Promise.all(stays.map(({ run }) => view(run, live)));
    await until(() => isFor(asked, ['r0', 'r1']));
    greeted = 0;
    for (let i = 2; i < 6; i++) {
      const guest = watch(client, `r${i}`);
      await Promise.all(names(6).map((id) => append(server.log, id, [delta('a '), custom(i), delta('b ')])));
      await view(guest.run, live);
      if (i % 2 === 0) guest.leave();
    }
    // A store keeps its connection for a second after its last user has left.
    await until(() => isFor(asked, ['r0', 'r1', 'r3', 'r5']));
    expect(greeted).toBe(0);
    await end(names(6));
    for (const it of stays) {
      await view(it.run, closed);
      await expectSame(it);
      expect(it.phases.slice(it.phases.indexOf('live'))).toEqual(['live', 'closed']);
    }
  });

  test('twenty are two connections; what was deleted, or never was, is refused with its own code, and the others go on', async () => {
    await begin(names(20));
    await append(server.log, 'gone', [START, END]);
    await fetch(`${server.url}/v1/runs/gone`, { method: 'DELETE', headers: { origin: server.url } });
    const client = clientOf(server.url, { share: true });
    const all = names(20).map((id) => watch(client, id));
    await Promise.all(all.map(({ run }) => view(run, live)));

    await until(() => server.hub.viewers === 2);

    const [none, gone] = await Promise.all([view(client.run('none'), closed), view(client.run('gone'), closed)]);
    expect(none.error).toMatchObject({ code: 'run_not_found' });

    expect(gone.error).toMatchObject({ code: 'run_deleted' });
    await end(['r3']);
    await view(all[3]!.run, closed);

    await end(names(20).filter((id) => id !== 'r3'));
    await Promise.all(all.map(({ run }) => view(run, closed)));
    for (const it of all) await expectSame(it);
  });

  test('where none is there, each is told for itself', async () => {
    await append(server.log, 'gone', [START, END]);
    await fetch(`${server.url}/v1/runs/gone`, { method: 'DELETE', headers: { origin: server.url } });
    const client = clientOf(server.url, { share: true });
    const [none, gone] = await Promise.all([view(client.run('none'), closed), view(client.run('gone'), closed)]);
    expect([none.error?.code, gone.error?.code]).toEqual(['run_not_found', 'run_deleted']);
  });

  test('a thread rides along, and what has ended takes nobody with it', async () => {
    await append(server.log, 't1', [START, custom(1)], 'thread');
    await begin(['r0', 'r1']);
    const client = clientOf(server.url, { share: true });
    const [a, b] = [watch(client, 'r0'), watch(client, 'r1')];
    const thread = client.thread('thread');
    await Promise.all([view(a.run, live), view(b.run, live), view(thread, live)]);
    await end(['r1']);
    await view(b.run, closed);
    await until(() => server.hub.viewers === 1);
    await append(server.log, 'r0', [custom('still')]);
    await append(server.log, 't1', [custom(2), END], 'thread');
    await view(thread, ({ data }) => data?.runs[0]?.status === 'completed');
    await end(['r0']);
    await view(a.run, closed);
    await expectSame(a);
    await expectSame(b);
  });

  test('tabs that share have one connection for all that they show', async () => {
    await begin(names(5));
    const tabs = [1, 2].map(() => clientOf(server.url, { share: true, tabs: 'ann' }));
    const all = tabs.flatMap((client) => names(5).map((id) => watch(client, id)));
    await Promise.all(all.map(({ run }) => view(run, live)));
    await until(() => server.hub.viewers === 1);
    await end(names(5));
    await Promise.all(all.map(({ run }) => view(run, closed)));
    for (const it of all) await expectSame(it);
  });

  test('in programs each has its own by default', async () => {
    await begin(names(3));
    const client = clientOf(server.url);
    const all = names(3).map((id) => watch(client, id));
    await Promise.all(all.map(({ run }) => view(run, live)));
    expect(server.hub.viewers).toBe(3);
  });

  test('cut anywhere, with streams added meanwhile: each is what the server has, and nothing came twice', async () => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 6_000 }), { minLength: 2, maxLength: 6 }),
        fc.array(fc.record({ run: fc.nat({ max: 9 }), text: fc.boolean() }), { maxLength: 25 }),
        async (cuts, steps) => {
          const ids = names(10).map((id) => `${id}-${round}`);
          round++;
          const proxy = await faultyProxy(server.url, (n) => {
            const cutAfter = cuts[n];
            return cutAfter === undefined ? {} : { cutAfter, cutBy: n % 2 ? 'fin' : 'reset' };
          });
          const client = clientOf(proxy.url, { share: true, keep: 50 });
          try {
            await begin(ids);
            const watched = new Map(ids.slice(0, 4).map((id) => [id, watch(client, id)]));
            for (const { run, text } of steps) {
              const id = ids[run]!;
              await append(server.log, id, text ? [delta('x'), delta('y')] : [custom(run)]);
              if (!watched.has(id)) watched.set(id, watch(client, id));
            }
            await end(ids);
            for (const it of watched.values()) {
              // Whoever was cut waits for up to some seconds: not here.
              await view(it.run, (now) => {
                if (now.retryAt !== undefined) it.run.reconnect();
                return closed(now);
              });
              await expectSame(it);
            }
          } finally {
            client.close();
            await proxy.close();
          }
        },
      ),
      { numRuns: 12 },
    );
  });
});

test('deltas that come merged are taken whole, also where the connection was opened anew between them', async () => {
  await begin(['r0', 'r1', 'r2']);
  const client = clientOf(server.url, { share: true });
  const a = watch(client, 'r0');
  const b = watch(client, 'r1');
  let text = '';
  a.run.on('event', ({ event }) => {
    for (const { type, data } of deltasOf(event))
      if (type === 'message.delta') text += (data as { delta: string }).delta;
  });
  await Promise.all([view(a.run, live), view(b.run, live)]);
  for (let i = 0; i < 30; i++) {
    await append(server.log, 'r0', [delta(`${i} `)]);
    if (i % 10 === 5) watch(client, 'r2').leave();
  }
  await end(['r0', 'r1', 'r2']);
  await view(a.run, closed);
  await expectSame(a);
  expect(text).toBe(Array.from({ length: 30 }, (_, i) => `${i} `).join(''));
});
