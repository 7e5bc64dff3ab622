/** Behind an nginx that holds streams back whatever the server says: pages, and the stream again once it comes through. */
import { afterEach, expect, test } from 'vitest';
import { startNginx } from '../http/nginx.fixture.ts';
import { find } from '../http/programs.fixture.ts';
import { streamServer } from '../http/stream.fixture.ts';
import { append, custom, type Draft, delta, END, START } from '../hub/drafts.fixture.ts';
import { Recording, until } from '../hub/recording.fixture.ts';
import type { TelltaleEvent } from '../protocol/index.ts';
import { checkHistory, type HistoryRecord } from '../testing/history-checker.ts';
import { createClient } from './client.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

test('what a proxy holds back comes as pages, and as a stream again once it lets it through: each event once (P7)', async (context) => {
  const program = find('nginx');
  if (!program) return context.skip('nginx is not installed');
  const server = await streamServer();
  closing.push(() => server.close());
  const proxied = (how: string) => (port: number) =>
    `listen 127.0.0.1:${port}; location / { proxy_pass ${server.url}; ${how} }`;
  const nginx = await startNginx(program, proxied('proxy_ignore_headers X-Accel-Buffering;'));
  closing.push(() => nginx.stop());
  const recording = new Recording();
  const store = async (...drafts: Draft[]) => recording.acked(server.log, 'r', await append(server.log, 'r', drafts));
  await store(START, ...Array.from({ length: 20 }, (_, i) => (i % 2 ? custom(i) : delta(`${i} `))));

  const requests: string[] = [];
  const client = createClient({
    url: `http://127.0.0.1:${nginx.port}`,
    fetch(input, init) {
      requests.push(new URL(String(input)).pathname);
      return fetch(input, init);
    },
  });
  closing.push(() => client.close());
  const run = client.run('r');
  // The same among tabs: the one that leads takes the detour for all.
  const tab = createClient({ url: `http://127.0.0.1:${nginx.port}`, tabs: 'ann' });
  closing.push(() => tab.close());
  const shared = tab.run('r');
  shared.use();
  const seen: TelltaleEvent[] = [];
  const record = (what: object): void => {
    recording.records.push({ at: performance.now(), viewer: 'store', ...what } as HistoryRecord);
  };
  record({ what: 'connected', from: 0 });
  run.on('event', ({ event: { prev: _, ...event } }) => {
    const { epoch, seq, type, runId } = event;
    seen.push(event as TelltaleEvent);
    record({ what: 'delivered', event: { epoch, seq, type, runId, content: JSON.stringify(event) } });
  });
  const last = () => run.getSnapshot().lastSeq;
  const isLive = () => run.getSnapshot().connection === 'live';

  /** The one that was tried came through, and another took the place of the pages. */
  const onStream = () => isLive() && requests.slice(-2).every((it) => it === '/v1/runs/r/stream');

  await until(isLive, 'pages', 10_000);
  expect(onStream()).toBe(false);
  await store(custom('live'), delta('x'));
  await until(() => last() === 23, 'an event that was waited for', 2_000);
  await until(() => shared.getSnapshot().lastSeq === 23, 'the same in a tab', 5_000);

  await nginx.reload(proxied('proxy_buffering off;'));
  await until(onStream, 'the stream', 20_000);
  const before = requests.length;
  for (let i = 0; i < 5; i++) {
    await store(custom(i), delta(`${i}`));
    await until(() => last() === 25 + 2 * i, 'an event of the stream', 2_000);
  }
  await store(END);
  await until(() => run.getSnapshot().connection === 'closed', 'the end', 5_000);
  expect(requests.slice(before)).toEqual([]);

  const { cursor: _, ...snapshot } = await createClient({ url: server.url }).snapshot('r');
  expect(run.getSnapshot().data).toEqual(snapshot);
  await until(() => shared.getSnapshot().connection === 'closed', 'the end in a tab', 5_000);
  expect(shared.getSnapshot().data).toEqual(snapshot);
  record({ what: 'complete' });
  expect(checkHistory(recording.records)).toEqual([]);
  expect(server.errors).toEqual([]);
}, 60_000);
