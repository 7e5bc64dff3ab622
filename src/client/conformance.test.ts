/**
 * What the SSE specification (WHATWG HTML 9.2) and the web platform tests ask of a client, byte for byte from a real
 * server. docs/sse-conformance.md has a row for each.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createClient } from './client.ts';
import { follow } from './follow.ts';
import { type FramesOptions, readFrames, type ServerFrame } from './frames.ts';
import {
  caughtUp,
  ended,
  event,
  hello,
  play,
  type Scripted,
  STREAM,
  type Step,
  serve,
  started,
} from './scripted.fixture.ts';
import type { Followed } from './source.ts';

let server: Scripted | undefined;
afterEach(async () => {
  vi.restoreAllMocks();
  await server?.close();
});

/** Gives a response's body byte by byte, whatever came together. */
const torn: typeof fetch = async (input, init) => {
  const response = await fetch(input, init);
  const tear = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      for (let i = 0; i < chunk.length; i++) controller.enqueue(chunk.subarray(i, i + 1));
    },
  });
  return new Response(response.body!.pipeThrough(tear), response);
};

interface Read {
  readonly frames: ServerFrame[];
  readonly retries: number[];
  readonly error: unknown;
}

const optionsOf = (fetch: typeof globalThis.fetch): FramesOptions => ({
  ...{ cursor: () => undefined, headers: async () => new Headers(), signal: new AbortController().signal, fetch },
  ...{ patienceMs: () => 10_000, onRetry: () => {}, onHeartbeat: () => {} },
});

/** What the client takes from a body, to the end of the connection. */
async function read(body: string | Uint8Array, type = STREAM['content-type'], fetch = globalThis.fetch): Promise<Read> {
  server = await serve((_, response) => response.writeHead(200, { 'content-type': type }).end(body));
  const frames: ServerFrame[] = [];
  const retries: number[] = [];
  const options = { ...optionsOf(fetch), onRetry: (ms: number) => retries.push(ms) };
  try {
    for await (const batch of readFrames(new URL(server.url), options)) frames.push(...batch);
    return { frames, retries, error: undefined };
  } catch (error) {
    return { frames, retries, error };
  } finally {
    await server.close();
  }
}

test('a history that comes at once is given in pieces between which a page can paint', async () => {
  const body = Array.from({ length: 5_000 }, (_, i) => `id: ${i}\ndata: ${'x'.repeat(i % 700)}é\n\n`).join('');
  const fetch = async (): Promise<Response> => new Response(body, { headers: STREAM });
  const batches: (readonly ServerFrame[])[] = [];
  const reading = async (): Promise<void> => {
    for await (const batch of readFrames(new URL('http://127.0.0.1'), optionsOf(fetch))) batches.push(batch);
  };
  await expect(reading()).rejects.toMatchObject({ code: 'unreachable' });
  const sizes = batches.map((batch) => batch.reduce((sum, { data }) => sum + data.length, 0));
  expect(Math.max(...sizes)).toBeLessThan(64 * 1024);
  expect(batches.flat().map(({ id }) => Number(id))).toEqual(Array.from({ length: 5_000 }, (_, i) => i));
});

const bytes = (...parts: (string | number[])[]): Uint8Array =>
  Buffer.concat(parts.map((it) => Buffer.from(it as string)));
const LONG = 'x'.repeat(100_000);

type ParsingCase = readonly [name: string, body: string | Uint8Array, frames: readonly Partial<ServerFrame>[]];
const PARSING: readonly ParsingCase[] = [
  [
    'one byte order mark is dropped, at the beginning alone',
    '\uFEFFdata:1\n\n\uFEFFdata:2\n\ndata:3\n\n',
    [{ data: '1' }, { data: '3' }],
  ],
  ['a second byte order mark is part of the first line', '\uFEFF\uFEFFdata:1\n\ndata:2\n\n', [{ data: '2' }]],
  ['UTF-8, whatever is split where', 'data:ok…ü€😀\n\n', [{ data: 'ok…ü€😀' }]],
  ['bytes that are no UTF-8 become U+FFFD', bytes('data:a', [0xff, 0xc3], 'b\n\n'), [{ data: 'a\uFFFD\uFFFDb' }]],
  ['lines end with LF, CR or CRLF, mixed', 'data:test\r\ndata\ndata:test\r\n\r\n', [{ data: 'test\n\ntest' }]],
  ['CR alone ends lines and frames', 'data:1\r\rdata:2\r\r', [{ data: '1' }, { data: '2' }]],
  [
    'a line that begins with a colon is a comment, however long',
    `data:1\r:\0\n:\r\ndata:2\n:${LONG}\rdata:3\n:data:fail\r\n\n`,
    [{ data: '1\n2\n3' }],
  ],
  ['data lines are joined by LF, the last LF is dropped', 'data:msg\ndata: msg\n\n', [{ data: 'msg\nmsg' }]],
  [
    'a frame of one empty data line is a frame',
    'data:\n\ndata\n\ndata\ndata\n\n',
    [{ data: '' }, { data: '' }, { data: '\n' }],
  ],
  [
    'one space after the colon is dropped, no more and nothing else',
    'data:\ttest\ndata: \ndata:  two\n\n',
    [{ data: '\ttest\n\n two' }],
  ],
  ['a colon in a value is part of it', 'data:a:b: c\n\n', [{ data: 'a:b: c' }]],
  [
    'field names are taken literally',
    'data:\0\ndata:  2\rData:1\ndata\0:2\ndata:1\r\0data:4\nda-ta:3\rdata_5\ndata:3\rdata:\r\n data:32\ndata:4\n\n',
    [{ data: '\0\n 2\n1\n3\n\n4' }],
  ],
  [
    'fields that nobody knows are passed over',
    'data:test\n data\ndata\nfoobar:xxx\njustsometext\n:comment\ndata:test\n\n',
    [{ data: 'test\n\ntest' }],
  ],
  ['NUL in data is data', 'data:\0\n\n', [{ data: '\0' }]],
  [
    'an event name is for one frame, the last one counts',
    'event:a\nevent:b\ndata:1\n\ndata:2\n\n',
    [{ event: 'b', data: '1' }, { data: '2' }],
  ],
  ['an empty event name is none', 'event:a\nevent:\ndata:1\n\n', [{ data: '1' }]],
  ['a frame without data is none', 'event:a\n\nid:1\n\n:\n\nfalsefield:x\n\ndata:end\n\n', [{ data: 'end' }]],
  ['an id with NUL is passed over', 'id:1\nid:\0\0\ndata:a\n\n', [{ id: '1', data: 'a' }]],
  [
    'an id may be empty',
    'id\ndata:a\n\nid:\ndata:b\n\n',
    [
      { id: '', data: 'a' },
      { id: '', data: 'b' },
    ],
  ],
  ['an id is any text, the last one counts', 'id:1\nid: …\ndata:a\n\n', [{ id: '…', data: 'a' }]],
  ['what no empty line ended is dropped', 'data:1\n\nid:2\ndata:2\n', [{ data: '1' }]],
];

describe('parsing', () => {
  test.each(PARSING)('%s', async (_name, body, frames) => {
    for (const fetch of [globalThis.fetch, torn]) {
      const result = await read(body, undefined, fetch);
      expect(result.frames).toEqual(frames);
      expect(result.error).toMatchObject({ code: 'unreachable' });
    }
  });

  test.each<[name: string, field: string, retries: number[]]>([
    ['retry is a number of milliseconds', 'retry:3000', [3000]],
    ['leading zeros of retry count for nothing', 'retry:03000', [3000]],
    ['retry that is not all digits is passed over', 'retry:1000x\nretry:-1\nretry:1.5\nretry:0x10\nretry: 1 ', []],
    ['retry that is empty is passed over', 'retry\nretry:', []],
    ['retry needs no frame and no empty line', 'retry:1\nretry:2', [1, 2]],
  ])('%s', async (_name, field, retries) => {
    expect((await read(`${field}\ndata:1`)).retries).toEqual(retries);
  });

  test.each<[name: string, type: string, isTaken: boolean]>([
    ['text/event-stream in any case', 'Text/Event-Stream', true],
    ['text/event-stream with a semicolon', 'text/event-stream;', true],
    ['text/event-stream with parameters, known or not', 'text/event-stream;x=bogus', true],
    ['UTF-8 even where another charset is named', 'text/event-stream;charset=windows-1252', true],
    ['another type fails the connection', 'text/x-bogus', false],
    ['a type that only begins like it fails the connection', 'text/event-streams', false],
    ['a type that cannot be read fails the connection', 'bogus', false],
  ])('%s', async (_name, type, isTaken) => {
    const { frames, error } = await read('data:ü\n\n', type);
    expect(frames).toEqual(isTaken ? [{ data: 'ü' }] : []);
    expect(error).toMatchObject({ code: isTaken ? 'unreachable' : 'stream_broken' });
  });
});

/** Everything that is told of a run until it ends, or fails. */
async function told(...scripts: (readonly Step[])[]): Promise<{ items: Followed[]; error: unknown }> {
  server = await serve((_, response, n) => play(response, scripts[n - 1] ?? scripts.at(-1) ?? []));
  const items: Followed[] = [];
  try {
    for await (const item of follow(`${server.url}/v1/runs/r1/stream`)) items.push(item);
    return { items, error: undefined };
  } catch (error) {
    return { items, error };
  }
}

const seqs = (items: readonly Followed[]): number[] =>
  items.flatMap((it) => (it.kind === 'event' ? [it.event.seq] : []));
const cursors = () => server?.requests.map((it) => it.headers['last-event-id']);
/** A hello without a retry. */
const hi = hello().replace(/retry:.*\n+/, '');

describe('reconnecting', () => {
  test.each<[name: string, cut: Step]>([
    ['after the end of a body it comes back with its last id', 'end'],
    ['after a broken connection it comes back with its last id', 'drop'],
  ])('%s', async (_name, cut) => {
    const { items } = await told(
      [hello(), started(), event(2), cut],
      [hello(), event(3), cut],
      [hello(), ended(4), 'end'],
    );
    expect(seqs(items)).toEqual([1, 2, 3, 4]);
    expect(cursors()).toEqual([undefined, 'e1.2', 'e1.3']);
  });

  test('a first request has no Last-Event-ID, and neither has one after frames without ids', async () => {
    await told([hello(), caughtUp(0), 'end'], [hello(), started(), ended(2), 'end']);
    expect(cursors()).toEqual([undefined, undefined]);
  });

  test('the id of a frame that was not finished is not taken', async () => {
    await told([hello(), started(), event(2).slice(0, -1), 'end'], [hello(), event(2), ended(3), 'end']);
    expect(cursors()).toEqual([undefined, 'e1.1']);
  });

  test('an id is known by the frames of the log alone', async () => {
    const { items } = await told(
      [hello(), started(), 'id: e1.9\n\n', 'id: e1.9\nevent: stream.future\ndata: {}\n\n', 'end'],
      [hello(), ended(2), 'end'],
    );
    expect(seqs(items)).toEqual([1, 2]);
    expect(cursors()).toEqual([undefined, 'e1.1']);
  });

  test.each<[name: string, id: string]>([
    ['an event without an id of its own is refused', ''],
    ['an event with an empty id is refused', 'id:\n'],
    ['an event with an id that is no cursor is refused', 'id: é1.2\n'],
  ])('%s', async (_name, id) => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const odd = event(2).replace(/^id:.*\n/, id);
    const { items, error } = await told([hello(), started(), odd, 'end'], [hello(), odd, 'end']);
    expect(seqs(items)).toEqual([1]);
    expect(error).toMatchObject({ code: 'stream_broken' });
    expect(new Set(cursors())).toEqual(new Set([undefined, 'e1.1']));
  });

  test.each<[name: string, sent: readonly string[], longest: number]>([
    ['it waits for as long as retry says, at most', ['retry: 40\n\n'], 40],
    ['the last retry counts', ['retry: 4000\n', 'retry: 30\n\n'], 30],
    ['a retry that is none leaves the one before', ['retry: 30\n', 'retry: soon\n', 'retry\n\n'], 30],
    ['retry: 0 is a wait all the same', ['retry: 0\n\n'], 1],
  ])('%s', async (_name, sent, longest) => {
    // The longest that the jitter may make of it.
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const { items } = await told([hi, ...sent, started(), 'end'], [hi, ended(2), 'end']);
    expect(items.find((it) => it.kind === 'disconnected')).toMatchObject({ attempt: 1, retryMs: longest });
  });

  test('without a retry it waits a second, at most', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const { items } = await told([hi, started(), 'end'], [hi, ended(2), 'end']);
    expect(items.find((it) => it.kind === 'disconnected')).toMatchObject({ retryMs: 1000 });
  });

  test('204 is the end', async () => {
    const { items, error } = await told([hello(), started(), 'end'], [{ status: 204 }]);
    expect([seqs(items), error, server?.requests.length]).toEqual([[1], undefined, 2]);
  });

  test.each([205, 210, 299])('status %i fails the connection, whatever its type', async (status) => {
    const { error } = await told([{ status, type: STREAM['content-type'] }]);
    expect([error, server?.requests.length]).toMatchObject([{ retryable: false }, 1]);
  });

  test.each([400, 401, 403, 404, 410])('status %i fails the connection', async (status) => {
    const { error } = await told([{ status }]);
    expect([error, server?.requests.length]).toMatchObject([{ retryable: false }, 1]);
  });

  test.each([408, 429, 500, 502, 503])('status %i is a server that is away: it comes back', async (status) => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const { items, error } = await told([{ status }], [hello(), started(), ended(2), 'end']);
    expect([seqs(items), error]).toEqual([[1, 2], undefined]);
  });

  test.each([301, 302, 303, 307, 308])(
    'a redirect (%i) is followed, and asked for anew with each connection',
    async (status) => {
      vi.spyOn(Math, 'random').mockReturnValue(0);
      let streams = 0;
      server = await serve((request, response) => {
        if (request.url !== '/elsewhere') return response.writeHead(status, { location: '/elsewhere' }).end();
        return play(response, ++streams === 1 ? [hello(), started(), 'end'] : [hello(), ended(2), 'end']);
      });
      const items: Followed[] = [];
      for await (const item of follow(`${server.url}/v1/runs/r1/stream`)) items.push(item);
      expect(seqs(items)).toEqual([1, 2]);
      expect(server.requests.map((it) => it.url)).toEqual(Array(2).fill(['/v1/runs/r1/stream', '/elsewhere']).flat());
      expect(server.requests.at(-1)?.headers['last-event-id']).toBe('e1.1');
    },
  );
});

describe('requests', () => {
  test('a request asks for text/event-stream, past every cache', async () => {
    await told([hello(), started(), ended(2), 'end']);
    const [request] = server?.requests ?? [];
    expect(request?.method).toBe('GET');
    expect(request?.headers).toMatchObject({ accept: 'text/event-stream', 'cache-control': 'no-cache' });
  });

  test('cookies are for fetch to decide: of the same origin by default', async () => {
    server = await serve((_, response) => play(response, [hello(), started(), ended(2), 'end']));
    const modes: unknown[] = [];
    const spying: typeof fetch = (input, init) => {
      modes.push(new Request(input, init).credentials);
      return fetch(input, { ...init, credentials: 'include' });
    };
    const run = createClient({ url: server.url, fetch: spying }).run('r1');
    for await (const _ of run.events());
    expect(modes).toEqual(['same-origin']);
  });

  test('nothing is told after it was closed, and the connection is gone', async () => {
    const more = Promise.withResolvers<void>();
    server = await serve((_, response) =>
      play(response, [hello(), started(), { until: more.promise }, event(2), 'stay']),
    );
    const client = createClient({ url: server.url });
    const given: number[] = [];
    const first = new Promise<void>((resolve) => {
      client.run('r1').on('event', ({ event: { seq } }) => {
        given.push(seq);
        resolve();
      });
    });
    await first;
    client.close();
    more.resolve();
    await vi.waitFor(() => expect(server?.open()).toBe(0));
    expect(given).toEqual([1]);
  });
});

describe('docs/sse-conformance.md', () => {
  const root = join(import.meta.dirname, '../..');
  const page = readFileSync(join(root, 'docs/sse-conformance.md'), 'utf8');
  const rows = page.split('\n').filter((line) => /^\| (?!where)/.test(line));

  test('every row names a test that there is', () => {
    expect(rows.length).toBeGreaterThan(50);
    const wrong = rows.filter((row) => {
      const [, file, name] = /`(src\/[^`]+\.test\.ts)`: “([^”]+)” \|$/.exec(row) ?? [];
      if (!file || !name || !existsSync(join(root, file))) return true;
      const source = readFileSync(join(root, file), 'utf8');
      return !["'", '`', '"'].some((quote) => source.includes(`${quote}${name}${quote}`));
    });
    expect(wrong).toEqual([]);
  });

  test('every test of this file has a row', ({ task }) => {
    const names = task.file.tasks.flatMap((it) =>
      it.type === 'suite' && it.name !== task.suite?.name ? it.tasks : [],
    );
    expect(names.length).toBeGreaterThan(50);
    // Statuses are `%i` in the table.
    const told = ({ name }: { name: string }) =>
      [name, name.replace(/\d{3}/, '%i')].some((it) => page.includes(`“${it}”`));
    expect(names.filter((it) => !told(it)).map((it) => it.name)).toEqual([]);
  });
});
