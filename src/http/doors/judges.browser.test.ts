/**
 * Every door as the two EventSources there are hear it, npm's and a real browser's: what the dialect says, once and in
 * order, over a cut. A document's own parser judges its door beside it.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { agentActivity, chat, type Dialect, execution, thinking, workflow } from '../../dialects/index.ts';
import { append, type Draft } from '../../hub/drafts.fixture.ts';
import { until } from '../../hub/recording.fixture.ts';
import { isTerminal } from '../../protocol/index.ts';
import { readFrames, START } from '../../testing/dialect/kit.ts';
import { ENDS, SCENARIO } from '../../testing/dialect/scenario.ts';
import { faultyProxy } from '../../testing/faulty-proxy.ts';
import { executablePath, openChromium } from '../chromium.fixture.ts';
import { type StreamServer, streamServer } from '../stream.fixture.ts';
import { FrontEnd } from './front-end.fixture.ts';
import type { DoorName } from './index.ts';

/** Of each door: the scenario's run, which is `r`, of the agent `a`, in a thread of its own. */
const STREAMS: Readonly<Record<DoorName, readonly [path: string, dialect: Dialect]>> = {
  'agent-activity': ['/sse/agent-activity/r', agentActivity()],
  execution: ['/api/agent/executions/r/events', execution()],
  // Its address has a question, not a run: an id of the run that is none in the log has all of it told anew.
  chat: ['/api/chat/stream?message=x&after=r.none.1', chat],
  workflow: ['/api/v1/agents/a/tasks/r/events/stream', workflow],
  // As who has waited since before the run began.
  thinking: ['/api/conversations/r/thinking?after=~.0', thinking],
};
const DOORS = Object.entries(STREAMS).map(([door, it]) => [door, ...it] as const);

/** Without `run.queued`: the fixture opens a run with its start, as one that was asked for at a door. */
const RUN = [...SCENARIO.slice(1), ENDS[1]!].map(([type, given = {}, about]): Draft => {
  const data = type === 'run.started' ? { ...given, metadata: { door: 'chat' } } : given;
  return about?.agent ? [type, data, about.agent] : [type, data];
});

let server: StreamServer;
/** What each door's dialect says of the log, as `<event> <data>`, merged as history is. */
const expected = new Map<string, readonly string[]>();

beforeAll(async () => {
  server = await streamServer();
  await append(server.log, 'r', RUN);
  expect(isTerminal(RUN.at(-1)![0])).toBe(true);
  const { blocks } = await server.log.read('r', 0, Number.POSITIVE_INFINITY);
  for (const [door, , dialect] of DOORS) {
    const encoder = dialect.encoder({ runId: 'r' }, START);
    const text = blocks.map((block) => new TextDecoder().decode(encoder.encode(block, Infinity, true).bytes)).join('');
    expected.set(
      door,
      readFrames(text).map(({ event, data }) => `${event ?? 'message'} ${written(data)}`),
    );
  }
});

afterAll(async () => {
  await until(() => server.hub.viewers === 0);
  expect(server.errors).toEqual([]);
  await server.close();
});

/** As it came: JSON or a line of text. */
const written = (data: unknown): string => (typeof data === 'string' ? data : JSON.stringify(data));
const namesOf = (door: string): string[] => [
  ...new Set(['message', ...expected.get(door)!.map((it) => it.split(' ')[0]!)]),
];
/** Behind the head of the answer and some frames, and before the last. */
const cutOnce = (connection: number) => (connection < DOORS.length ? { cutAfter: 900 } : {});

test.concurrent.each(DOORS)('%s, as npm’s eventsource hears it', async (door, path) => {
  const proxy = await faultyProxy(server.url, (n) => (n === 0 ? { cutAfter: 900 } : {}));
  const frontEnd = new FrontEnd(proxy.url + path, namesOf(door));
  await until(() => frontEnd.heard.length >= expected.get(door)!.length, door, 15_000);
  frontEnd.close();
  expect(frontEnd.heard.map(({ event, data }) => `${event} ${written(data)}`)).toEqual(expected.get(door));
  expect(frontEnd.statuses).toEqual([200, 200]);
  await proxy.close();
});

test('all of them, as Chromium hears them', async (context) => {
  if (!executablePath) return context.skip('chromium is not installed');
  const browser = await openChromium();
  try {
    const page = await browser.newPage();
    // A page of the server's own origin, loaded before the proxy begins to cut.
    let cutting = false;
    let cuts = 0;
    const proxy = await faultyProxy(server.url, () => (cutting ? cutOnce(cuts++) : {}));
    await page.goto(`${proxy.url}/healthz`);
    proxy.cutAll();
    cutting = true;
    const doors = DOORS.map(([door, path]) => ({
      door,
      path,
      names: namesOf(door),
      count: expected.get(door)!.length,
    }));
    const heard = await page.evaluate(
      (all) =>
        Promise.all(
          all.map(({ path, names, count }) => {
            const said: string[] = [];
            const source = new EventSource(path);
            return new Promise<string[]>((resolve) => {
              for (const name of names) {
                source.addEventListener(name, (event) => {
                  const { data } = event as MessageEvent<string | undefined>;
                  if (data === undefined) return;
                  said.push(`${name} ${data}`);
                  if (said.length < count) return;
                  source.close();
                  resolve(said);
                });
              }
            });
          }),
        ),
      doors,
    );
    for (const [i, { door }] of doors.entries()) expect(heard[i]).toEqual(expected.get(door));
    expect(cuts).toBeGreaterThanOrEqual(2 * DOORS.length);
    await proxy.close();
  } finally {
    await browser.close();
  }
}, 30_000);
