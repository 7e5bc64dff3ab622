/** The thinking door, as its own front end uses it (docs/doors/thinking.md). */
import { EventSource } from 'eventsource';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../hub/recording.fixture.ts';
import { agentMiddleware, functionMiddleware, type Listening, type Telltale, telltale } from '../../index.ts';
import { faultyProxy } from '../../testing/faulty-proxy.ts';
import { guarded } from '../access/guarded.fixture.ts';
import { send } from '../raw-request.fixture.ts';
import { streamServer } from '../stream.fixture.ts';
import { cuts } from './front-end.fixture.ts';

const path = (conversation: string) => `/api/conversations/${conversation}`;

/** The document's indicator: every message is a line. It reconnects as EventSource does, and by nothing else. */
class Indicator {
  readonly lines: string[] = [];
  readonly ids: string[] = [];
  readonly statuses: number[] = [];
  readonly source: EventSource;
  /** It has the id of who waits. Nothing is done with that here. */
  isWaiting = false;

  constructor(url: string) {
    this.source = new EventSource(url, {
      fetch: async (input, init) => {
        const answer = await fetch(input, init);
        this.statuses.push(answer.status);
        return answer;
      },
    });
    this.source.addEventListener('waiting', () => {
      this.isWaiting = true;
    });
    this.source.onmessage = ({ data, lastEventId }) => {
      this.lines.push(data);
      this.ids.push(lastEventId);
    };
  }

  close(): void {
    this.source.close();
  }
}

const say = async (url: string, conversation: string, message: unknown, headers: Record<string, string> = {}) => {
  const answer = await fetch(`${url}${path(conversation)}/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof message === 'string' ? JSON.stringify({ message }) : (message as { raw: string }).raw,
  });
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
};

/** In the middle of a turn, which has about 8,000 bytes. */
const cutsOf = (seed: number) => {
  const cut = cuts(seed, 2);
  return (connection: number) => {
    const { cutAfter, ...fault } = cut(connection);
    return { ...fault, ...(cutAfter !== undefined && { cutAfter: cutAfter * 3 }) };
  };
};

/** What the document draws. */
const TURN = [
  '[Triage] agent invoked',
  '[ServiceNow] agent invoked',
  'Calling list_change_requests...',
  'list_change_requests finished',
  '[ServiceNow] agent finished',
  '[Triage] agent finished',
];

let app: Telltale;
let server: Listening;
/** Another one on the same log, with a hub of its own: what another worker would be. */
let other: Listening;
let url: string;
const faults: string[] = [];
const open: { close(): unknown }[] = [];
const watch = (conversation: string, at = url, query = ''): Indicator => {
  const indicator = new Indicator(`${at}${path(conversation)}/thinking${query}`);
  open.push(indicator);
  return indicator;
};
const waits = (indicator: Indicator, connections: number) => until(() => indicator.statuses.length === connections);

/** Turns that wait to be let go, by their message. */
const held = new Map<string, () => void>();

const list = functionMiddleware('list_change_requests', async (_state: string) => ['CHG-1', 'CHG-2']);
const serviceNow = agentMiddleware(
  'ServiceNow',
  async (question: string) => `${question}: ${(await list('open')).length}`,
);
const triage = agentMiddleware('Triage', serviceNow);
const read = functionMiddleware('read', async (_n: number) => new Promise((resolve) => setImmediate(resolve)));

beforeAll(async () => {
  app = telltale({
    store: 'memory:',
    doors: { thinking: { agent: 'ops' } },
    onError: (_error, { path }) => void faults.push(path),
  });
  app.agent('ops', async (run, input) => {
    const message = String(input);
    if (message.startsWith('hold')) {
      await agentMiddleware('Holder', async () => {
        await new Promise<void>((resolve, reject) => {
          held.set(message, resolve);
          run.signal.addEventListener('abort', () => reject(run.signal.reason));
        });
      })();
      return message;
    }
    if (message.startsWith('read')) {
      for (let n = 0; n < 60; n++) await read(n);
      return message;
    }
    if (message === 'child') return run.child('reader', 1);
    if (message === 'quiet') return 'Nothing to think about.';
    if (message === 'fail') throw new Error('The ticket system is down.');
    if (message === 'say') return void (await run.say('Said.'));
    return triage(message);
  });
  app.agent('reader', (_run, n) => read(Number(n)));
  server = await app.listen(0);
  other = await app.listen(0);
  ({ url } = server);
});

afterAll(async () => {
  for (const it of open) await it.close();
  await app.close();
  // But for the agent's own.
  expect(faults.filter((it) => it !== '/api/conversations/fails/messages')).toEqual([]);
});

describe('a turn', () => {
  it('is thought aloud beside its answer: the stream first, then the message, then its end, then the answer', async () => {
    const order: string[] = [];
    for (let n = 0; n < 20; n++) {
      const conversation = `closes-${n}`;
      const thinking = await fetch(`${url}${path(conversation)}/thinking`);
      const closed = thinking.text().then((text) => order.push(text.includes('Triage') ? 'closed' : text));
      await say(url, conversation, 'How many?').then(() => order.push('answered'));
      await closed;
    }
    expect(order).toEqual(Array.from({ length: 20 }, () => ['closed', 'answered']).flat());
    const answer = await fetch(`${url}${path('order')}/thinking`);
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = (await reader.read()).value ?? '';
    expect(text).toMatch(/^: connected\n\n/);
    const said = say(url, 'order', 'How many?');
    for (let step = await reader.read(); !step.done; step = await reader.read()) text += step.value;
    expect(await said).toMatchObject({
      status: 200,
      body: { conversation_id: 'order', status: 'completed', response: 'How many?: 2' },
    });
    const frames = text.split('\n\n').slice(3, -1);
    expect(frames.map((frame) => frame.replace(/^id: [a-z0-9]{25}\.[a-z0-9]+\.\d+\n/, ''))).toEqual(
      TURN.map((line) => `data: ${line}`),
    );
  });

  it('has the headers that the document found out to be needed', async () => {
    const { headers } = await send(url, { method: 'HEAD', target: `${path('headers')}/thinking` });
    expect(headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': expect.stringMatching(/no-cache.*no-store.*must-revalidate/),
      ...{ pragma: 'no-cache', expires: '0', 'x-accel-buffering': 'no', 'x-content-type-options': 'nosniff' },
      'x-arr-disable-session-affinity': 'true',
    });
    const streamed = await fetch(`${url}${path('headers')}/thinking`);
    expect(streamed.headers.get('transfer-encoding')).toBe('chunked');
    await streamed.body!.cancel();
  });

  it('comes whole to every tab, on this worker and another, early or late', async () => {
    const early = [watch('tabs'), watch('tabs', other.url)];
    await Promise.all(early.map((it) => waits(it, 1)));
    const said = say(url, 'tabs', 'hold tabs');
    await until(() => held.has('hold tabs'));
    const late = watch('tabs', other.url);
    await until(() => [...early, late].every(({ lines }) => lines.length === 1));
    held.get('hold tabs')!();
    expect((await said).body.response).toBe('hold tabs');
    await until(() => [...early, late].every(({ lines }) => lines.length === 2));
    for (const { lines } of [...early, late])
      expect(lines).toEqual(['[Holder] agent invoked', '[Holder] agent finished']);
  });

  it.concurrent('comes once and in order whatever is cut, and so does the one after it', async () => {
    const seed = Date.now();
    const proxies = await Promise.all([1, 2, 3].map((n) => faultyProxy(n % 2 ? url : other.url, cutsOf(seed + n))));
    open.push(...proxies);
    const indicators = proxies.map((proxy) => watch('cut', proxy.url));
    await until(() => indicators.every((it) => it.isWaiting));
    const once = Array.from({ length: 60 }, () => ['Calling read...', 'read finished']).flat();
    await say(url, 'cut', 'read one');
    await say(other.url, 'cut', 'read two');
    await until(() => indicators.every(({ lines }) => lines.length >= 240), 'both turns', 25_000);
    for (const { lines, ids } of indicators) {
      expect(lines, `seed ${seed}`).toEqual([...once, ...once]);
      expect(new Set(ids).size).toBe(240);
    }
    const { runs } = await (await fetch(`${url}/v1/runs?threadId=cut`)).json();
    expect(runs).toHaveLength(2);
  }, 40_000);

  it.concurrent('is not told again to who comes back after it: he waits, and has the next', async () => {
    const indicator = watch('again');
    await waits(indicator, 1);
    await say(url, 'again', 'one');
    // Closed behind the turn, and back.
    await waits(indicator, 2);
    expect(indicator.lines).toEqual(TURN);
    const fresh = watch('again');
    await waits(fresh, 1);
    await say(url, 'again', 'two');
    await until(() => indicator.lines.length === 12 && fresh.lines.length === 6);
    expect([indicator.lines, fresh.lines]).toEqual([[...TURN, ...TURN], TURN]);
  }, 20_000);

  it('is told to who was away while it began and ended', async () => {
    const indicator = watch('away');
    await waits(indicator, 1);
    await say(url, 'away', 'one');
    indicator.close();
    await say(url, 'away', 'quiet');
    await say(url, 'away', 'two');
    const back = watch('away', url, `?after=${indicator.ids.at(-1)}`);
    await until(() => back.lines.length === 6);
    expect(back.ids[0]).not.toContain(indicator.ids[0]!.split('.')[0]);
  });

  it('that began and ended while who waited for it was cut off, is told when he is back', async () => {
    await say(url, 'waiting', 'zero');
    for (const conversation of ['waiting', 'not-there']) {
      const proxy = await faultyProxy(url, () => ({}));
      open.push(proxy);
      const indicator = watch(conversation, proxy.url);
      await until(() => indicator.isWaiting);
      proxy.cutAll();
      await say(url, conversation, 'one');
      await until(() => indicator.lines.length === 6);
      expect(indicator.lines).toEqual(TURN);
    }
  }, 20_000);

  it('that thought nothing aloud leaves its stream open no longer than itself', async () => {
    const answer = await fetch(`${url}${path('quiet')}/thinking`);
    const [text, said] = await Promise.all([answer.text(), say(url, 'quiet', 'quiet')]);
    expect(text).toMatch(/^: connected\n\nretry: \d+\n\nid: ~\.0\nevent: waiting\ndata: {}\n\n$/);
    expect(said.body.response).toBe('Nothing to think about.');
  });

  it('tells of a run that it starts as of an agent, and that run is no turn', async () => {
    const indicator = watch('child');
    await waits(indicator, 1);
    await say(url, 'child', 'child');
    await until(() => indicator.lines.length === 2);
    indicator.close();
    expect(indicator.lines).toEqual(['[reader] agent invoked', '[reader] agent finished']);
    await say(url, 'child', 'one');
    const back = watch('child', url, `?after=${indicator.ids.at(-1)}`);
    await until(() => back.lines.length === 6);
    expect(back.lines).toEqual(TURN);
  });

  it('that was deleted is passed over by who has an id of it', async () => {
    const indicator = watch('gone');
    await waits(indicator, 1);
    const { body } = await say(url, 'gone', 'one');
    indicator.close();
    expect((await fetch(`${url}/v1/runs/${body.message_id}`, { method: 'DELETE' })).status).toBe(204);
    await say(url, 'gone', 'two');
    const back = watch('gone', url, `?after=${indicator.ids[2]}`);
    await until(() => back.lines.length === 6);
    expect(back.lines).toEqual(TURN);
  });

  it.each([
    ['of another conversation', 'reset-one', 'Stream restarted'],
    ['that is none', 'reset-two', 'Stream restarted'],
    ['of another epoch', 'reset-three', 'Stream restarted'],
  ])('that is under way begins anew for an id %s, and says so', async (what, conversation, line) => {
    const message = `hold ${conversation}`;
    const said = say(url, conversation, message);
    await until(() => held.has(message));
    const { body } = await say(url, 'elsewhere', 'one');
    const { runs } = await (await fetch(`${url}/v1/runs?threadId=${conversation}`)).json();
    const ids: Record<string, string> = {
      'of another conversation': `${body.message_id}.e1.3`,
      'that is none': '%21',
      'of another epoch': `${runs[0].runId}.nosuch.2`,
    };
    const indicator = watch(conversation, url, `?after=${ids[what]}`);
    await until(() => indicator.lines.length === 2);
    expect(indicator.lines).toEqual([line, '[Holder] agent invoked']);
    held.get(message)!();
    await said;
  });
});

describe('messages of a conversation', () => {
  it.concurrent('that come at once are answered one after the other, each with what its own turn made', async () => {
    const indicator = watch('queue');
    await waits(indicator, 1);
    const messages = ['hold 1', 'hold 2', 'hold 3'];
    const answered: string[] = [];
    const said = [];
    for (const message of messages) {
      said.push(say(url, 'queue', message).then(({ body }) => answered.push(body.response)));
      const at = `${url}/v1/runs?threadId=queue`;
      for (let count = 0; count < said.length; ) count = (await (await fetch(at)).json()).runs.length;
    }
    const elsewhere = await say(url, 'not-held-up', 'How many?');
    expect(elsewhere.body.response).toBe('How many?: 2');
    for (const message of messages) {
      await until(() => held.has(message));
      expect([...held.keys()].filter((it) => messages.includes(it)).at(-1)).toBe(message);
      held.get(message)!();
    }
    await Promise.all(said);
    expect(answered).toEqual(messages);
    await until(() => indicator.lines.length === 6, 'all turns', 20_000);
  }, 30_000);

  it('are answered at once with Prefer: respond-async, and their result is there when the stream has closed', async () => {
    const thinking = await fetch(`${url}${path('async')}/thinking`);
    const { status, body, headers } = await say(url, 'async', 'How many?', { prefer: 'wait=200, Respond-Async' });
    expect([status, body]).toEqual([202, { conversation_id: 'async', message_id: body.message_id, status: 'running' }]);
    expect([headers.get('location'), headers.get('preference-applied')]).toEqual([
      `/v1/runs/${body.message_id}`,
      'respond-async',
    ]);
    expect((await thinking.text()).match(/^data: [^{].*$/gm)).toEqual(TURN.map((line) => `data: ${line}`));
    const run = await (await fetch(url + headers.get('location'))).json();
    expect(run).toMatchObject({ status: 'completed', output: 'How many?: 2', threadId: 'async' });
  });

  it('are answered at once as queued where another turn is under way', async () => {
    const said = say(url, 'busy', 'hold busy');
    await until(() => held.has('hold busy'));
    const second = await say(url, 'busy', 'two', { prefer: 'respond-async' });
    expect([second.status, second.body.status]).toEqual([202, 'queued']);
    held.get('hold busy')!();
    await said;
    const third = await say(url, 'busy', 'three');
    expect(third.body.response).toBe('three: 2');
    expect(await (await fetch(url + second.headers.get('location'))).json()).toMatchObject({ output: 'two: 2' });
  });

  it('start once for an Idempotency-Key, however they are answered', async () => {
    const key = { 'idempotency-key': 'k' };
    const first = await say(url, 'once', 'How many?', key);
    const again = await say(url, 'once', 'How many?', key);
    expect(again.body).toEqual(first.body);
  });

  it('are answered with the last message of an agent that returns nothing', async () => {
    expect((await say(url, 'said', 'say')).body.response).toBe('Said.');
  });

  it('may be of a conversation that has a UUID', async () => {
    const uuid = '7D0F4A3E-0000-4000-8000-c1a2b3d4e5f6';
    const indicator = watch(uuid);
    await waits(indicator, 1);
    expect((await say(url, uuid.toLowerCase(), 'one')).status).toBe(200);
    await until(() => indicator.lines.length === 6);
  });

  it('are told as problems where the turn fails or is cancelled', async () => {
    expect(await say(url, 'fails', 'fail')).toMatchObject({
      status: 500,
      body: { code: 'agent_failed', detail: 'The ticket system is down.' },
    });
    const said = say(url, 'cancelled', 'hold cancelled');
    await until(() => held.has('hold cancelled'));
    const { runs } = await (await fetch(`${url}/v1/runs?threadId=cancelled`)).json();
    await fetch(`${url}/v1/runs/${runs[0].runId}/cancel`, { method: 'POST' });
    expect(await said).toMatchObject({ status: 409, body: { code: 'run_closed', runId: runs[0].runId } });
  });

  it.each([
    ['an empty message', { raw: '{"message":"  "}' }, 400, 'invalid_request'],
    ['no message', { raw: '{}' }, 400, 'invalid_request'],
    ['a message that is no text', { raw: '{"message":["x"]}' }, 400, 'invalid_request'],
    ['a member nobody knows', { raw: '{"message":"x","more":1}' }, 400, 'invalid_request'],
    ['one that is too long', { raw: JSON.stringify({ message: 'x'.repeat(70_000) }) }, 400, 'invalid_request'],
    ['a body that is too large', { raw: JSON.stringify({ message: 'x'.repeat(1_100_000) }) }, 413, 'batch_too_large'],
    ['what is no JSON', { raw: '{' }, 400, 'invalid_json'],
  ])('start nothing with %s', async (_what, message, status, code) => {
    expect(await say(url, 'bad', message)).toMatchObject({ status, body: { code } });
    expect((await (await fetch(`${url}/v1/runs?threadId=bad`)).json()).runs).toEqual([]);
  });

  it.each([
    ['an id that can be none', 'a%20b', '', 400],
    ['one that is too long', 'x'.repeat(33), '', 400],
    ['a parameter nobody knows', 'c', '?types=x', 400],
  ])('and their stream are refused for %s', async (_what, conversation, query, status) => {
    const answer = await fetch(`${url}${path(conversation)}/thinking${query}`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'application/problem+json']);
    await answer.body!.cancel();
    if (query === '') expect((await say(url, conversation, 'x')).status).toBe(status);
  });
});

describe('streams that wait', () => {
  it('are bounded in number, and one more is told inside a 200 to come back', async () => {
    const small = await streamServer({ maxExpected: 2 });
    const at = (n: number) => fetch(`${small.url}${path(`c${n}`)}/thinking`);
    const waiting = [await at(1), await at(2)];
    const third = await at(3);
    expect([third.status, await third.text()]).toEqual([
      200,
      expect.stringMatching(/^: overloaded, .*\n\nretry: 2000\n\n$/),
    ]);
    await waiting[0]!.body!.cancel();
    await until(() => small.hub.viewers === 1);
    const fourth = await at(4);
    expect(small.hub.viewers).toBe(2);
    await Promise.all([waiting[1]!.body!.cancel(), fourth.body!.cancel()]);
    await small.close();
  });

  it('never show somebody else’s conversation, nor let anybody speak in it', async () => {
    const sub: Record<string, string> = { a: 'ann', b: 'bob' };
    const asked: string[] = [];
    const guardedServer = await guarded({
      authorize: ({ principal, action, allowed }) => {
        if (principal.userId === 'bob') asked.push(action);
        return allowed;
      },
      authenticate: ({ headers }) => {
        const userId = sub[headers.get('authorization')?.replace('Bearer ', '') ?? ''];
        return userId === undefined ? undefined : { userId, scopes: ['read', 'start'] };
      },
    });
    guardedServer.runs.register('ops', () => triage('x'));
    const as = (token: string) => ({ authorization: `Bearer ${token}` });
    const first = await say(guardedServer.url, 'ann', 'one', as('a'));
    expect(first.status).toBe(200);
    const [ann, bob] = await Promise.all(
      ['a', 'b'].map((token) => fetch(`${guardedServer.url}${path('ann')}/thinking`, { headers: as(token) })),
    );
    expect([ann!.status, bob!.status]).toEqual([200, 200]);
    expect(await say(guardedServer.url, 'ann', 'mine?', as('b'))).toMatchObject({
      status: 404,
      body: { code: 'thread_not_found' },
    });
    await say(guardedServer.url, 'ann', 'two', as('a'));
    expect((await ann!.text()).match(/^data: [^{].*$/gm)).toHaveLength(6);
    // Once for his stream, whatever was written since, and once for what he said.
    expect(asked).toEqual(['read', 'write']);
    const text = bob!.text();
    await guardedServer.close();
    expect(await text).toMatch(/^: connected\n\nretry: \d+\n\nid: ~\.0\nevent: waiting\ndata: {}\n\n$/);
  });
});

it('middleware changes nothing outside of runs', async () => {
  expect(await triage('Alone')).toBe('Alone: 2');
  const it = {
    base: 1,
    add: functionMiddleware('add', async function (this: { base: number }, n: number) {
      return this.base + n;
    }),
  };
  expect(await it.add(2)).toBe(3);
});
