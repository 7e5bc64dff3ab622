/** The services as a page uses them, over the real door. */
import { EventSource as NodeEventSource } from 'eventsource';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { until } from '../../hub/recording.fixture.ts';
import { type Telltale, telltale } from '../../index.ts';
import { faultyProxy } from '../../testing/faulty-proxy.ts';
import { bundle } from '../bundle.fixture.ts';
import { type ChatUpdate, SSEFormatter, SSEService, streamChat } from './index.ts';

const WORDS = Array.from({ length: 40 }, (_, n) => `word ${n} `);
const WHOLE = WORDS.join('');

let app: Telltale;
let url: string;
const open: { close(): unknown }[] = [];
const asked: unknown[] = [];
/** By the question: lets its run write the second half. */
const gates = new Map<unknown, () => void>();

beforeAll(async () => {
  app = telltale({ store: 'memory:' });
  app.agent('health', async function* (_run, input) {
    asked.push(input);
    if (`${input}`.startsWith('fail')) throw new Error('The lab is closed');
    yield* WORDS.slice(0, 20);
    if (`${input}`.startsWith('wait')) await new Promise<void>((resolve) => gates.set(input, resolve));
    yield* WORDS.slice(20);
  });
  ({ url } = await app.listen(0));
});

afterAll(async () => {
  for (const it of open) await it.close();
  await app.close();
});

/** What was answered has been heard: no socket is in between. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** In front of the server, cutting the first connection; what is cut has a proxy's own answer next, if so. */
async function cutOnce(cutAfter: number): Promise<string> {
  const proxy = await faultyProxy(url, (n) => (n === 0 ? { cutAfter } : {}));
  open.push(proxy);
  return proxy.url;
}

class Page {
  readonly calls: string[] = [];
  readonly addresses: string[] = [];
  readonly service: SSEService;
  text = '';

  constructor(at: string, statusOf: (connection: number) => number | undefined = () => undefined) {
    const { addresses } = this;
    class Source extends NodeEventSource {
      constructor(address: string) {
        super(address, {
          fetch: async (input, init) => {
            const status = statusOf(addresses.push(`${input}`) - 1);
            return status === undefined ? fetch(input, init as RequestInit) : new Response(null, { status });
          },
        });
      }
    }
    this.service = new SSEService({ url: at, EventSource: Source as unknown as typeof EventSource });
  }

  ask(message: string): void {
    this.service.connect(message, {
      onMessage: (data) => {
        if (data.type === 'text') this.text += data.content;
      },
      onConnect: () => this.calls.push('connect'),
      onComplete: () => this.calls.push('complete'),
      onError: (error) => this.calls.push(error),
      onReset: () => this.calls.push('reset'),
    });
  }
}

describe.concurrent('SSEService', () => {
  test('tells an answer once, over a cut that EventSource mends and one that it gives up on', async () => {
    const page = new Page(await cutOnce(1500), (n) => (n === 1 ? 502 : undefined));
    const question = 'wait, with "é" & more';
    page.ask(question);
    await until(() => page.addresses.length === 3, 'the try', 12_000);
    expect(page.text.length).toBeGreaterThan(0);
    gates.get(question)!();
    await until(() => page.calls.includes('complete'));
    expect(page.text).toBe(WHOLE);
    expect(page.calls).toEqual(['connect', 'Connection closed', 'connect', 'complete']);
    expect(page.addresses[0]).toMatch(/\/api\/chat\/stream\?message=wait%2C%20with%20%22%C3%A9%22%20%26%20more$/);
    // The try has no header to say where it was.
    expect(page.addresses[2]).toMatch(/&after=[\w-]+\.\w+\.\d+$/);
    expect(asked.filter((it) => it === question)).toHaveLength(1);
  }, 20_000);

  test('tells why a run failed, and asks no second time', async () => {
    const page = new Page(url);
    page.ask('fail, told');
    await until(() => page.calls.length === 2);
    expect([page.calls, page.addresses.length]).toEqual([['connect', 'The lab is closed'], 1]);
  });

  test('lets go of one question for the next, and of the tries with `disconnect`', async () => {
    const page = new Page(url, (n) => (n === 0 ? 502 : undefined));
    page.ask('never asked');
    await until(() => page.calls.length === 1);
    page.ask('asked');
    await until(() => page.calls.includes('complete'));
    expect([page.text, page.calls]).toEqual([WHOLE, ['Connection closed', 'connect', 'complete']]);
    const [gone, other] = [new Page(url, () => 502), new Page(url, () => 502)];
    for (const it of [gone, other]) it.ask('never asked');
    await until(() => gone.calls.length === 1 && other.calls.length === 1);
    gone.service.disconnect();
    await until(() => other.addresses.length === 2, 'the try', 12_000);
    other.service.disconnect();
    expect([gone.addresses.length, asked.includes('never asked')]).toEqual([1, false]);
  }, 20_000);
});

describe('SSEService, where nothing answers', () => {
  afterEach(() => vi.useRealTimers());

  test('tries three times, after 3, 6 and 9 seconds, and then no more', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const page = new Page(url, () => 502);
    page.ask('never answered');
    const counts: number[] = [];
    for (const milliseconds of [0, 2999, 1, 5999, 1, 8999, 1, 3_600_000]) {
      await vi.advanceTimersByTimeAsync(milliseconds);
      await settled();
      counts.push(page.addresses.length);
    }
    expect(counts).toEqual([1, 1, 2, 2, 3, 3, 4, 4]);
    expect(page.calls).toEqual(Array(4).fill('Connection closed'));
  });
});

describe.concurrent('streamChat', () => {
  test('tells an answer once over a cut, as one run', async () => {
    const told: ChatUpdate[] = [];
    const sent: Headers[] = [];
    // Cut where the first half was received, and before there is more.
    const stop = new AbortController();
    const cut: typeof fetch = (input, init) => {
      sent.push(new Headers(init?.headers));
      return fetch(input, sent.length === 1 ? { ...init, signal: stop.signal } : init);
    };
    const onUpdate = (data: ChatUpdate) => {
      told.push(data);
      stop.abort();
      gates.get('wait, at last')!();
    };
    await streamChat('wait, at last', onUpdate, { url, fetch: cut });
    expect(sent.map((it) => it.has('last-event-id'))).toEqual([false, true]);
    expect(told.map((it) => (it.type === 'text' ? it.content : '')).join('')).toBe(WHOLE);
    expect(asked.filter((it) => it === 'wait, at last')).toHaveLength(1);
  }, 20_000);

  test('rejects with the message of a run that failed, and with what the server refuses', async () => {
    await expect(streamChat('fail', () => {}, { url })).rejects.toMatchObject({
      ...{ code: 'agent_failed', message: 'The lab is closed' },
    });
    await expect(streamChat(' ', () => {}, { url })).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(streamChat('x', () => {}, { url: 'nowhere' })).rejects.toMatchObject({ code: 'invalid_option' });
  });

  test('ends with its signal, and with what its caller throws', async () => {
    const stop = new AbortController();
    const reason = new Error('Enough');
    const stopped = streamChat('stopped', () => stop.abort(reason), { url, signal: stop.signal });
    await expect(stopped).rejects.toBe(reason);
    const thrown = streamChat(
      'thrown',
      () => {
        throw reason;
      },
      { url },
    );
    await expect(thrown).rejects.toBe(reason);
  });
});

test('SSEFormatter writes what the door writes', async () => {
  const timestamp = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/);
  expect(SSEFormatter.text('a\nb')).toEqual({ type: 'text', content: 'a\nb', timestamp });
  expect(SSEFormatter.toolCall('labs', { n: 1 })).toEqual({
    type: 'tool_call',
    tool: 'labs',
    arguments: { n: 1 },
    timestamp,
  });
  const update = SSEFormatter.specialistUpdate('Lipids', 'started');
  expect(update).toEqual({ type: 'specialist_update', specialist: 'Lipids', status: 'started', timestamp });
  expect(SSEFormatter.formatMessage('message', { content: 'a\nb' })).toBe(
    'event: message\ndata: {"content":"a\\nb"}\n\n',
  );
  expect(() => SSEFormatter.formatMessage('a\nevent: b', {})).toThrow();
});

test('a page that only asks ships little, and nothing of the stores', async () => {
  const { gzip, modules } = await bundle(`export { SSEService } from 'telltale/client/chat';`);
  expect(gzip).toBeLessThan(1800);
  expect(modules.filter((it) => /store|fold|dialects|node_modules/.test(it))).toEqual([]);
});
