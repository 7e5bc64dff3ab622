/** Many viewers, and ones that do not read, on real sockets. */
import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { append, custom, type Draft, END, START } from '../hub/drafts.fixture.ts';
import { RecordedViewer, Recording, until } from '../hub/recording.fixture.ts';
import { LATENESS_MS } from '../protocol/index.ts';
import { faultyProxy } from '../testing/faulty-proxy.ts';
import { checkHistory } from '../testing/history-checker.ts';
import { type StreamServer, streamServer } from './stream.fixture.ts';
import { connectOnce, connectToEnd } from './stream-client.fixture.ts';

/** Long enough that a slow viewer on a busy machine makes progress within it. */
const STALLED_MS = 1000;
/** How many appends the fast viewers may be behind. */
const AHEAD = 4;
let server: StreamServer;
/** The server's ends of all connections. */
const sockets = new Set<Socket>();
const onSocket = (message: unknown) => {
  const { socket } = message as { socket: Socket };
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
};

beforeAll(async () => {
  channel('net.server.socket').subscribe(onSocket);
  server = await streamServer({ stalledMs: STALLED_MS });
});

afterAll(async () => {
  channel('net.server.socket').unsubscribe(onSocket);
  expect(server.errors).toEqual([]);
  await server.close();
});

async function rawViewer(path: string): Promise<Socket> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
  return socket;
}

test('a viewer that reads nothing: memory bounded, fifty others undisturbed, cut after its time, resumes; a slow one is not cut (P7)', async () => {
  const recording = new Recording();
  const say = async (drafts: readonly Draft[]) =>
    recording.acked(server.log, 'r', await append(server.log, 'r', drafts));
  await say([START]);
  const stuck = await rawViewer('/v1/runs/r/stream');
  stuck.pause();
  const view = ({ type }: { type: string }) => type !== 'custom';
  const views: Record<string, typeof view> = {};
  const viewers = Array.from({ length: 50 }, (_, i) => recording.viewer(`v${i}`));
  const fast = viewers.map(async (viewer, i) => {
    // Most are spared the large events, so that the test's own reading is not what is measured.
    if (i >= 5) views[viewer.name] = view;
    await connectToEnd(viewer, `${server.url}/v1/runs/r/stream${i < 5 ? '' : '?types=status.updated,run.*'}`);
    viewer.complete();
  });
  await until(() => server.hub.viewers === 51);

  const proxy = await faultyProxy(server.url, () => ({ trickle: 64 * 1024 }));
  const slow = recording.viewer('slow');
  const slowToEnd = connectToEnd(slow, `${proxy.url}/v1/runs/r/stream`).then(() => slow.complete());
  await until(() => server.hub.viewers === 52);

  let mostPending = 0;
  let wasFull = false;
  for (let n = 0; n < 80; n++) {
    await say([custom('x'.repeat(200_000)), ['status.updated', { status: `s${n}` }]]);
    // This process reads for all of them as well: no further ahead than it can follow, or that is what is measured.
    await until(() => viewers.every(({ events }) => events.length > n - AHEAD), 'the fast ones');
    await new Promise((resolve) => setImmediate(resolve));
    for (const socket of sockets) {
      mostPending = Math.max(mostPending, socket.writableLength);
      wasFull ||= socket.writableNeedDrain;
    }
  }
  expect(wasFull).toBe(true);
  await until(() => server.hub.viewers === 51, 'the stuck viewer to be cut', 10 * STALLED_MS);
  await say([END]);
  await Promise.all([...fast, slowToEnd]);
  expect(proxy.connections).toBe(1);
  await proxy.close();
  expect(checkHistory(recording.records, { views, latenessMs: LATENESS_MS })).toEqual([]);
  // What Node holds for one socket: its own 64 KiB, and one page or one frame on top.
  expect(mostPending).toBeLessThanOrEqual((64 + 256 + 8) * 1024);
  stuck.destroy();

  const back = new RecordedViewer('back');
  back.cursor = `${(await server.log.head('r'))!.epoch}.100`;
  await connectToEnd(back, `${server.url}/v1/runs/r/stream`);
  expect(back.events).toHaveLength(62);
  await until(() => server.hub.viewers === 0 && server.hub.threads === 0);
});

test('a viewer of a quiet run is not taken for one that is stuck', async () => {
  await append(server.log, 'quiet', [START]);
  const viewer = new RecordedViewer('v');
  const watching = connectOnce(viewer, `${server.url}/v1/runs/quiet/stream`);
  await until(() => server.hub.viewers === 1);
  await new Promise((resolve) => setTimeout(resolve, 2.5 * STALLED_MS));
  await append(server.log, 'quiet', [END]);
  await watching;
  expect(viewer.ended).toBe(true);
});

test('five hundred viewers that vanish at once leave nothing behind', async () => {
  await append(server.log, 'many', [START, custom(1)]);
  const timers = () => process.getActiveResourcesInfo().filter((it) => it === 'Timeout').length;
  const gone = await Promise.all(Array.from({ length: 500 }, () => rawViewer('/v1/runs/many/stream')));
  await until(() => server.hub.viewers === 500);
  await append(server.log, 'many', [custom(2)]);
  for (const socket of gone) socket.resetAndDestroy();
  await until(() => server.hub.viewers === 0 && server.hub.threads === 0 && sockets.size === 0);
  await append(server.log, 'many', [END]);
  const viewer = new RecordedViewer('v');
  await connectOnce(viewer, `${server.url}/v1/runs/many/stream`);
  expect(viewer.events).toHaveLength(4);
  // One of the server, which looks after requests that do not arrive.
  expect(timers()).toBeLessThanOrEqual(2);
});
