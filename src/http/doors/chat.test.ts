/** The chat door, as its own front end uses it (docs/doors/chat.md). */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../hub/recording.fixture.ts';
import { type Telltale, telltale } from '../../index.ts';
import { faultyProxy } from '../../testing/faulty-proxy.ts';
import { send } from '../raw-request.fixture.ts';
import { askByPost, Browser, ChatPage, type Told } from './chat-page.fixture.ts';
import { cuts } from './front-end.fixture.ts';

const GET = '/api/chat/stream';
const POST = '/api/chat/message';
const EVENT_STREAM = 'text/event-stream';
const JSON_TYPE = { 'content-type': 'application/json' };

let app: Telltale;
let url: string;
/** Opens what a run that was asked `wait …` waits for. */
const gates = new Map<string, PromiseWithResolvers<void>>();
const gate = (message: string) => {
  if (!gates.has(message)) gates.set(message, Promise.withResolvers());
  return gates.get(message)!;
};
/** Questions whose runs have done all that they do. */
const ended: string[] = [];
const open: { close(): unknown }[] = [];

const words = (message: string, from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => `${message}: word ${from + n}. `);
const whole = (message: string) => words(message, 0, 40).join('');

const address = (message: string, more = '') => `${GET}?message=${encodeURIComponent(message)}${more}`;
const ask = (message: string, browser = new Browser(), headers: Record<string, string> = {}, more = '') =>
  browser.fetch(`${url}${address(message, more)}`, { headers: { accept: EVENT_STREAM, ...headers } });
const runs = async (at = url) => (await (await fetch(`${at}/v1/runs?limit=200`)).json()).runs.length as number;
/** How many runs were started by what is done. */
async function started(does: () => Promise<unknown>): Promise<number> {
  const before = await runs();
  await does();
  return (await runs()) - before;
}
const textIn = (text: string) =>
  [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!).content ?? '').join('');
const idsIn = (text: string) => [...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id!);

beforeAll(async () => {
  app = telltale({ store: 'memory:', doors: { chat: { agent: 'health' } } });
  app.agent('health', async function* (run, input) {
    const message = input as string;
    if (message.startsWith('fail')) throw new Error('The lab is closed');
    yield* words(message, 0, 20);
    if (message.startsWith('wait')) await gate(message).promise;
    if (message.startsWith('slow')) await new Promise((resolve) => setTimeout(resolve, 200));
    await run.agent('Lipid Specialist', (it) => it.tool('labs', { name: 'LDL' }, () => 4.1));
    yield* words(message, 20, 40);
    ended.push(message);
  });
  app.agent('other', () => 'Not for this door');
  ({ url } = await app.listen(0));
});

afterAll(async () => {
  for (const it of open) await it.close();
  await app.close();
});

describe('a question by GET', () => {
  it('is answered as its front end expects it', async () => {
    const page = new ChatPage(url);
    expect(
      await started(async () => {
        page.connect('Is my LDL high? 100 % & more');
        await until(() => page.calls.includes('complete'));
      }),
    ).toBe(1);
    expect(page.text).toBe(whole('Is my LDL high? 100 % & more'));
    expect([page.calls, page.statuses]).toEqual([['connect', 'complete'], [200]]);
    const others = page.messages.filter(({ type }) => type !== 'text');
    const timestamp = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/);
    expect(others).toEqual([
      { type: 'specialist_update', specialist: 'Lipid Specialist', status: 'started', timestamp },
      { type: 'tool_call', tool: 'labs', arguments: { name: 'LDL' }, timestamp },
      { type: 'specialist_update', specialist: 'Lipid Specialist', status: 'completed', timestamp },
    ]);
  });

  it('is answered once and whole by one run, whatever is cut while the page reconnects by itself', async () => {
    const seed = Date.now();
    const proxies = await Promise.all([1, 2, 3].map((n) => faultyProxy(url, cuts(seed + n, 2))));
    open.push(...proxies);
    // A reset takes along what was sent and not read yet, the head of the answer too: they are known by their cookies then.
    const browsers = proxies.map(() => new Browser());
    await Promise.all(browsers.map(async (it, n) => (await ask(`first ${n}`, it)).text()));
    const count = await started(async () => {
      const pages = proxies.map((proxy, n) => new ChatPage(proxy.url, browsers[n]));
      for (const [n, page] of pages.entries()) page.connect(`slow ${n}`);
      await until(() => pages.every(({ calls }) => calls.includes('complete')), 'all', 20_000);
      for (const [n, page] of pages.entries()) {
        expect(page.text, `seed ${seed}`).toBe(whole(`slow ${n}`));
        expect(page.messages.filter(({ type }) => type !== 'text')).toHaveLength(3);
        expect(proxies[n]!.connections).toBeGreaterThan(1);
      }
    });
    expect(count, `seed ${seed}`).toBe(3);
  }, 30_000);

  it('begins with `connected` and has an id that names the run on every frame that is of the log', async () => {
    const text = await (await ask('ids')).text();
    const [comment, retry, connected, ...frames] = text.split('\n\n').slice(0, -1);
    expect([comment, connected]).toEqual([': connected', 'event: connected\ndata: {"status":"connected"}']);
    expect(retry).toMatch(/^retry: \d+$/);
    const { runs } = await (await fetch(`${url}/v1/runs?limit=1`)).json();
    for (const frame of frames)
      expect(frame).toMatch(new RegExp(`^id: ${runs[0].runId}\\.\\w+\\.\\d+\\nevent: \\w+\\ndata: .*$`));
    expect(new Set(idsIn(text)).size).toBe(frames.length);
    expect(text).not.toContain('\r');
    expect(frames.at(-1)).toContain('event: done\ndata: {"status":"complete"}');
    // In the middle: neither a second question nor a repetition.
    for (const n of [1, 25]) {
      const id = idsIn(text)[n - 1]!;
      const rest = await (await ask('ids', new Browser(), { 'last-event-id': id })).text();
      expect(textIn(rest)).toBe(textIn(frames.slice(n).join('\n\n')));
      expect(await (await ask('ids', new Browser(), {}, `&after=${id}`)).text()).toContain(
        `\n\nid: ${idsIn(rest)[0]}\n`,
      );
    }
    expect((await ask('ids', new Browser(), { 'last-event-id': idsIn(text).at(-1)! })).status).toBe(204);
  });

  it('may have everything in `onmessage`, told apart by `type`', async () => {
    const text = await (await ask('plain', new Browser(), {}, '&events=message')).text();
    expect(text).not.toContain('event:');
    expect(text).toContain('data: {"type":"connected","status":"connected"}');
    expect(text).toContain('data: {"type":"done","status":"complete"}');
  });

  it('tells a cursor that cannot be followed by `connected` with `reset`, and then everything anew', async () => {
    const text = await (await ask('reset')).text();
    const [runId] = idsIn(text)[0]!.split('.');
    const anew = await (await ask('reset', new Browser(), { 'last-event-id': `${runId}.elsewhere.3` })).text();
    expect(anew).toContain('data: {"status":"connected","reset":"unknown_epoch"}');
    expect(textIn(anew)).toBe(whole('reset'));
  });
});

describe('the same question, without an id', () => {
  it('goes on with the run under way where a proxy made EventSource give up, and the page tries by itself', async () => {
    const message = 'wait for the proxy';
    const proxy = await faultyProxy(url, (n) => (n === 0 ? { cutAfter: 1200 } : {}));
    open.push(proxy);
    const page = new ChatPage(proxy.url, new Browser(), (n) => (n === 1 ? 502 : undefined));
    expect(
      await started(async () => {
        page.connect(message);
        await until(() => page.statuses.length === 3, 'the try', 12_000);
        gate(message).resolve();
        await until(() => page.calls.includes('complete'));
      }),
    ).toBe(1);
    expect(page.statuses).toEqual([200, 502, 200]);
    expect(page.calls).toEqual(['connect', 'error', 'connect', 'complete']);
    expect(page.text.endsWith(whole(message))).toBe(true);
  }, 20_000);

  it('has the answer that nobody fetched, and is a new question once it was sent', async () => {
    const [browser, message] = [new Browser(), 'wait, alone'];
    let streams = 0;
    const host = createServer((request, response) => {
      streams++;
      response.on('close', () => streams--);
      void app.handler(request, response);
    });
    await once(host.listen(0, '127.0.0.1'), 'listening');
    open.push(host);
    const at = `http://127.0.0.1:${(host.address() as AddressInfo).port}${address(message)}`;
    const again = () => browser.fetch(at, { headers: { accept: EVENT_STREAM } });
    const count = await started(async () => {
      await (await again()).body!.cancel();
      await until(() => streams === 0);
      gate(message).resolve();
      await until(() => ended.includes(message));
      expect(textIn(await (await again()).text())).toBe(whole(message));
    });
    expect(count).toBe(1);
    await until(() => streams === 0);
    expect(await started(async () => (await again()).text())).toBe(1);
  });

  it('is one run also where it is asked twice at once', async () => {
    const browser = new Browser();
    await (await ask('a cookie', browser)).text();
    expect(
      await started(async () => {
        const answers = await Promise.all([1, 2].map(() => ask('wait, twice', browser)));
        gate('wait, twice').resolve();
        const texts = await Promise.all(answers.map((it) => it.text()));
        expect(texts.map(textIn)).toEqual([whole('wait, twice'), whole('wait, twice')]);
      }),
    ).toBe(1);
  });

  it('is nobody else’s: not of another browser, of a forged cookie, or of the same address', async () => {
    const browser = new Browser();
    await (await ask('wait, mine', browser)).body!.cancel();
    expect(browser.cookie).toMatch(/^telltale-chat=/);
    const forged = new Browser();
    forged.cookie = `${browser.cookie.split('.')[0]}.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D`;
    const nobody = { fetch } as Browser;
    for (const other of [new Browser(), forged, nobody]) {
      expect(await started(async () => (await ask('wait, mine', other)).body!.cancel())).toBe(1);
    }
    gate('wait, mine').resolve();
  });

  it('is not asked anew by the tries that follow a failure, and is by somebody else, or in other words', async () => {
    const browser = new Browser();
    const text = await (await ask('fail', browser)).text();
    expect(text).toMatch(/event: error\ndata: \{"error":"The lab is closed","code":"agent_failed"\}\n\n$/);
    expect(text).not.toContain('chat.test.ts');
    expect((await ask('fail', browser, { 'last-event-id': idsIn(text).at(-1)! })).status).toBe(204);
    expect(
      await started(async () => {
        for (let n = 0; n < 3; n++) expect((await ask('fail', browser)).status).toBe(204);
      }),
    ).toBe(0);
    expect(await started(async () => (await ask('fail', new Browser())).text())).toBe(1);
    expect(await started(async () => (await ask('fail again', browser)).text())).toBe(1);
  });

  it('is asked anew after a failure by a page that let go of the stream', async () => {
    const browser = new Browser();
    expect(
      await started(async () => {
        for (let n = 0; n < 2; n++) expect(await (await ask('fail twice', browser)).text()).toContain('event: error');
      }),
    ).toBe(2);
  });
});

describe('a question by POST', () => {
  it('is answered as the parser of its front end reads it', async () => {
    const told: Told[] = [];
    expect(await started(() => askByPost(url, 'By post', (it) => told.push(it)))).toBe(1);
    expect(told.flatMap(({ type, content }) => (type === 'text' ? content : [])).join('')).toBe(whole('By post'));
    expect([told[0], told.at(-1)]).toEqual([{ status: 'connected' }, { status: 'complete' }]);
  });

  it('is a new one each time, but for an Idempotency-Key, and goes on after an id', async () => {
    const post = (headers: Record<string, string> = {}) =>
      fetch(url + POST, { method: 'POST', headers: { ...JSON_TYPE, ...headers }, body: '{"message":"Again"}' });
    expect(
      await started(async () => {
        await (await post()).text();
        await (await post()).text();
      }),
    ).toBe(2);
    expect(
      await started(async () => {
        const text = await (await post({ 'idempotency-key': 'k' })).text();
        expect(await (await post({ 'idempotency-key': 'k' })).text()).toContain(idsIn(text).at(-1));
        const rest = await (await post({ 'last-event-id': idsIn(text)[10]! })).text();
        expect(idsIn(rest)).toEqual(idsIn(text).slice(11));
      }),
    ).toBe(1);
  });
});

describe('what starts no run', () => {
  const many = 'x'.repeat(70_000);
  const stream = (target: string, ...headers: string[]) => send(url, { target, headers });
  const accept = `Accept: ${EVENT_STREAM}`;

  it.each([
    ['an image, a link or a page', [address('x'), 'Accept: image/avif,*/*;q=0.8'], 406, 'not_acceptable'],
    [
      'an address that somebody opens',
      [address('x'), 'Accept: text/html,*/*;q=0.8', 'Sec-Fetch-Site: none'],
      406,
      'not_acceptable',
    ],
    ['another site', [address('x'), accept, 'Sec-Fetch-Site: cross-site'], 403, 'origin_refused'],
    ['a neighbour', [address('x'), accept, 'Sec-Fetch-Site: same-site'], 403, 'origin_refused'],
    ['a page of another origin', [address('x'), accept, 'Origin: https://evil.example'], 403, 'origin_refused'],
    ['no message', [GET, accept], 400, 'invalid_request'],
    ['an empty one', [address('  '), accept], 400, 'invalid_request'],
    ['two', [`${address('x')}&message=y`, accept], 400, 'invalid_request'],
    ['a parameter nobody knows', [address('x', '&user=1'), accept], 400, 'invalid_request'],
    ['a message too long for an address', [address(many), accept], 431, 'headers_too_large'],
    ['an id that is none', [address('x'), accept, 'Last-Event-ID: 12'], 400, 'invalid_cursor'],
    ['an id of another door', [address('x'), accept, 'Last-Event-ID: k3f9x0q2vd.12'], 404, 'run_not_found'],
    ['an id of a run that is not there', [address('x'), accept, 'Last-Event-ID: none.e1.1'], 404, 'run_not_found'],
    ['an id of a run of other doors', [address('x'), accept, 'Last-Event-ID: elsewhere.e1.1'], 404, 'run_not_found'],
    ['an id of a run that was deleted', [address('x'), accept, 'Last-Event-ID: gone.e1.1'], 410, 'run_deleted'],
  ])('by GET: %s', async (_what, [target, ...headers], status, code) => {
    if (code === 'run_deleted') {
      await (await app.start({ agent: 'other', runId: 'gone' })).finished();
      await (await app.log()).retention.erase('gone');
    }
    if (headers.at(-1)!.includes('elsewhere'))
      await (await app.start({ agent: 'other', runId: 'elsewhere' })).finished();
    const count = await started(async () => {
      const answer = await stream(target!, ...headers);
      expect([answer.status, JSON.parse(answer.body).code]).toEqual([status, code]);
      // Nobody's words come back, or go anywhere.
      expect(answer.body.length).toBeLessThan(1000);
    });
    expect(count).toBe(0);
  });

  it.each([
    ['an empty message', '{"message":" "}', 400, 'invalid_request'],
    ['no message', '{}', 400, 'invalid_request'],
    ['a member nobody knows', '{"message":"x","more":1}', 400, 'invalid_request'],
    ['one that is no text', '{"message":1}', 400, 'invalid_request'],
    ['one that is too long', JSON.stringify({ message: many }), 400, 'invalid_request'],
    ['a body that is too large', JSON.stringify({ message: 'x'.repeat(1_100_000) }), 413, 'batch_too_large'],
    ['what is no JSON', '{', 400, 'invalid_json'],
  ])('by POST: %s', async (_what, body, status, code) => {
    const count = await started(async () => {
      const answer = await fetch(url + POST, { method: 'POST', headers: JSON_TYPE, body });
      expect([answer.status, (await answer.json()).code]).toEqual([status, code]);
    });
    expect(count).toBe(0);
  });

  it('a HEAD request', async () => {
    expect(
      await started(async () => {
        const answer = await fetch(url + address('x'), { method: 'HEAD', headers: { accept: EVENT_STREAM } });
        expect([answer.status, answer.headers.get('content-type')]).toEqual([200, `${EVENT_STREAM}; charset=utf-8`]);
      }),
    ).toBe(0);
  });

  it('a server with several agents that was not told which', async () => {
    const several = telltale({ store: 'memory:' });
    for (const name of ['a', 'b']) several.agent(name, () => 'x');
    const answer = await several.fetch(
      new Request(`http://localhost${address('x')}`, { headers: { accept: EVENT_STREAM } }),
    );
    expect([answer.status, (await answer.json()).code]).toEqual([404, 'agent_not_found']);
    await several.close();
  });
});

describe('pages of other origins', () => {
  const dev = { origin: 'http://localhost:5173' };

  it('may ask from the development server of the front end, with headers of their own, and read every header', async () => {
    const asked = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-own' };
    const preflight = await fetch(url + POST, { method: 'OPTIONS', headers: { ...dev, ...asked } });
    const allowed = ['origin', 'methods', 'headers'].map((it) => preflight.headers.get(`access-control-allow-${it}`));
    expect(allowed).toEqual([
      dev.origin,
      expect.stringContaining('POST'),
      expect.stringMatching(/content-type.*, \*$/),
    ]);
    const answer = await ask('From afar', new Browser(), dev);
    expect(answer.headers.get('access-control-expose-headers')).toBe('*');
    expect(await answer.text()).toContain('event: done');
  });
});

describe('with authentication', () => {
  let guarded: Telltale;
  let at: string;
  const reported: unknown[] = [];
  const askAs = (user: string, message: string, more: Record<string, string> = {}) =>
    fetch(`${at}${address(message)}`, { headers: { accept: EVENT_STREAM, authorization: user, ...more } });
  const all = async () => (await (await fetch(`${at}/v1/runs`, { headers: { authorization: 'root' } })).json()).runs;

  beforeAll(async () => {
    guarded = telltale({
      store: 'memory:',
      onError: (error, place) => reported.push(`${error}`, place),
      auth: {
        authenticate(request) {
          const userId = request.headers.get('authorization');
          if (userId === 'fault') throw new Error('The directory is away');
          return userId
            ? { userId, scopes: userId === 'root' ? ['admin'] : userId === 'reader' ? ['read'] : ['start'] }
            : undefined;
        },
      },
    });
    guarded.agent('health', async (run, input) => {
      if (`${input}`.startsWith('wait')) await gate(`${input}`).promise;
      await run.say('Well.');
    });
    ({ url: at } = await guarded.listen(0));
  });
  afterAll(() => guarded.close());

  it('a question is its principal’s, who needs no cookie to come back to it', async () => {
    await (await askAs('ann', 'wait, as ann')).body!.cancel();
    const again = await askAs('ann', 'wait, as ann');
    expect(again.headers.get('set-cookie')).toBe(null);
    await (await askAs('bob', 'wait, as ann')).body!.cancel();
    expect((await all()).map(({ owner }: { owner?: string }) => owner).length).toBe(2);
    gate('wait, as ann').resolve();
    const text = await again.text();
    const [id] = idsIn(text);
    const foreign = await askAs('bob', 'wait, as ann', { 'last-event-id': id! });
    expect([foreign.status, (await foreign.json()).code]).toEqual([404, 'run_not_found']);
    expect((await askAs('ann', 'wait, as ann', { 'last-event-id': id! })).status).toBe(200);
    expect(await all()).toHaveLength(2);
  });

  it('is refused without it, and without the scope', async () => {
    const nobody = await fetch(`${at}${address('x')}`, { headers: { accept: EVENT_STREAM } });
    expect([nobody.status, (await askAs('reader', 'x')).status]).toEqual([401, 403]);
  });

  it('an answer ends as an error where access is taken back', async () => {
    const answer = await askAs('eve', 'wait, as eve');
    expect(guarded.revoke('eve')).toBe(1);
    expect(await answer.text()).toMatch(/event: error\ndata: \{"error":"revoked","code":"access_revoked"\}\n\n$/);
    gate('wait, as eve').resolve();
  });

  it('what is reported of a fault has no word of the question', async () => {
    expect((await askAs('fault', 'a very private question')).status).toBe(500);
    expect(JSON.stringify(reported)).toContain('The directory is away');
    expect(JSON.stringify(reported)).not.toMatch(/private|question/);
  });
});

it('an answer that a restart broke off is told as that, after what was received, and then no more', async () => {
  const store = await mkdtemp(join(tmpdir(), 'telltale-chat-'));
  const serve = () => {
    const it = telltale({ store });
    it.agent('health', async function* (run) {
      yield 'Your LDL ';
      await new Promise((_, reject) => run.signal.addEventListener('abort', () => reject(run.signal.reason)));
    });
    const question = (id?: string) =>
      it.fetch(
        new Request(`http://localhost${address('Is it high?')}`, {
          headers: { accept: EVENT_STREAM, ...(id !== undefined && { 'last-event-id': id }) },
        }),
      );
    return { it, question };
  };
  const before = serve();
  const reader = (await before.question()).body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (!text.includes('Your LDL ')) text += (await reader.read()).value;
  await before.it.close();
  const after = serve();
  const rest = await (await after.question(idsIn(text)[0])).text();
  expect([textIn(rest), /event: error\ndata: .*"code":"executor_lost"/.test(rest)]).toEqual(['', true]);
  expect((await after.question(idsIn(rest)[0])).status).toBe(204);
  await after.it.close();
  await rm(store, { recursive: true });
});
