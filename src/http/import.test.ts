/** Whole runs from elsewhere (P8). */
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { append, custom, type Draft, delta, END, START } from '../hub/drafts.fixture.ts';
import { encodeEvent, LIMITS, runFileHeader, type TelltaleEvent } from '../protocol/index.ts';
import { openLines, sendLines } from './line-client.fixture.ts';
import { type StreamServer, streamServer } from './stream.fixture.ts';

let server: StreamServer;
beforeAll(async () => {
  server = await streamServer();
});
afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
});

const eventsOf = async (runId: string): Promise<TelltaleEvent[]> => {
  const events: TelltaleEvent[] = [];
  for (let after = ''; ; ) {
    const response = await fetch(`${server.url}/v1/runs/${runId}/events?limit=1000${after}`);
    const page = (await response.json()) as { events: TelltaleEvent[]; cursor: string; more: boolean };
    events.push(...page.events);
    if (!page.more) return events;
    after = `&after=${page.cursor}`;
  }
};
const snapshotOf = async (runId: string) => (await fetch(`${server.url}/v1/runs/${runId}`)).json();

const fileOf = (events: readonly TelltaleEvent[]): string =>
  [runFileHeader(events[0]!.runId, events[0]!.threadId), ...events].map((it) => `${JSON.stringify(it)}\n`).join('');
const exported = async (runId: string) => fileOf(await eventsOf(runId));

const importLines = (text: string, query = '') => sendLines(`${server.url}/v1/runs/import${query}`, text);

/** Without what a log gives to its events: numbers, epochs, and the ids of run and thread. */
const bare = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (key, it) => (/seq$|^epoch$|^threadId$|^runId$|^cursor$/i.test(key) ? undefined : it)),
  );

let count = 0;
const newId = () => `run-${++count}`;

/** A run of its own thread with so many events in all, ended. */
async function finished(events: number): Promise<string> {
  const id = newId();
  const drafts = Array.from({ length: events - 2 }, (_, i) => custom(i));
  for (let at = 0; at < drafts.length || at === 0; at += 900) {
    const part = drafts.slice(at, at + 900);
    await append(server.log, id, at === 0 ? [START, ...part] : part);
  }
  await append(server.log, id, [END]);
  return id;
}

const agent = { id: 'documents-1', name: 'Documents', path: 'triage-1/documents-1' };
const drafts: fc.Arbitrary<Draft> = fc.oneof(
  fc.json().map((json) => custom(JSON.parse(json) as unknown)),
  fc.string({ unit: 'binary' }).map((text) => delta(text.toWellFormed())),
  fc.constantFrom<Draft>(
    ['tool.started', { toolCallId: 't', name: 'read' }, agent],
    ['tool.called', { toolCallId: 't', name: 'read', args: { path: 'a' } }, agent],
    ['control.requested', { command: 'pause', commandId: 'c' }],
    ['run.paused', { commandId: 'c' }],
    ['my.own', { 2: 'b', 1: 'a' }],
    ['custom', { name: 'big', value: 'x'.repeat(200_000) }],
  ),
);

describe('POST /v1/runs/import', () => {
  test('an imported run is the run that was exported, but for its numbers and ids; exported again it is the same file', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(drafts, fc.boolean()), { maxLength: 40 }),
        fc.constantFrom<Draft>(END, ['run.failed', { error: { code: 'x', message: 'y' } }], ['run.cancelled', {}]),
        async (events, end) => {
          const [id, other, thread] = [newId(), newId(), newId()];
          await append(server.log, other, [START], thread);
          await append(server.log, id, [START], thread);
          for (const [draft, isAlone] of events) {
            await append(server.log, id, [draft], thread);
            if (!isAlone) await append(server.log, other, [custom('other')], thread);
          }
          await append(server.log, id, [end], thread);
          const original = await eventsOf(id);
          const copy = newId();
          const answers = await importLines(fileOf(original), `?runId=${copy}`);
          expect(answers.at(-1)).toMatchObject({ runId: copy, threadId: copy, status: expect.any(String) });
          const imported = await eventsOf(copy);
          expect(bare(imported)).toEqual(bare(original));
          expect(imported.map(({ seq, threadId }) => [seq, threadId])).toEqual(imported.map((_, i) => [i + 1, copy]));
          expect(bare(await snapshotOf(copy))).toEqual(bare(await snapshotOf(id)));
          const third = newId();
          await importLines(fileOf(imported), `?runId=${third}`);
          const again = (await exported(third))
            .replaceAll(third, copy)
            .replaceAll((await eventsOf(third))[0]!.epoch, imported[0]!.epoch);
          expect(again).toBe(fileOf(imported));
        },
      ),
      { numRuns: 25 },
    );
  }, 60_000);

  test('keeps id, time, agent, traceparent and parent; stands in lists as it was created', async () => {
    const id = newId();
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const line = (seq: number, type: string, data: object, more: object = {}) => ({
      seq,
      epoch: 'elsewhere',
      threadId: 'theirs',
      runId: id,
      type,
      time: `2020-01-01T00:00:0${seq}.000Z`,
      parentRunId: 'boss',
      ...more,
      data,
    });
    const events = [
      line(1, 'run.queued', { agent: 'triage', position: 1 }),
      line(3, 'run.queued', { agent: 'triage', position: 0 }),
      line(4, 'run.started', { agent: 'triage', mode: 'local' }),
      line(6, 'tool.started', { toolCallId: 't', name: 'read' }, { agent, traceparent }),
      line(9, 'run.completed', { output: 1 }),
    ];
    const answers = await importLines(fileOf(events as unknown as TelltaleEvent[]), '?threadId=their-thread');
    expect(answers).toEqual([
      expect.objectContaining({ runId: id, threadId: 'their-thread', first: 1, last: 5, status: 'completed' }),
    ]);
    expect(bare(await eventsOf(id))).toEqual(bare(events));
    const { runs } = (await (await fetch(`${server.url}/v1/runs?until=2021-01-01T00:00:00Z`)).json()) as {
      runs: object[];
    };
    expect(runs).toMatchObject([
      {
        runId: id,
        agent: 'triage',
        createdAt: '2020-01-01T00:00:01.000Z',
        endedAt: '2020-01-01T00:00:09.000Z',
        parentRunId: 'boss',
      },
    ]);
  });

  test('cut anywhere and sent again it is whole, each event once; until then it is an open run', async () => {
    const text = await exported(await finished(1700));
    const copy = newId();
    for (const cut of [40, 5000, text.length >> 1, text.length - 100, text.length - 1]) {
      const answers = await importLines(text.slice(0, cut), `?runId=${copy}`);
      expect(answers.at(-1)).toMatchObject({ code: 'invalid_request', status: 400 });
      const record = await server.log.runs.get(copy);
      expect(record === undefined || record.status === 'running').toBe(true);
    }
    expect((await server.log.runs.get(copy))?.events).toBe(1500);
    const [first, ...more] = await importLines(text, `?runId=${copy}`);
    expect(first).toMatchObject({ duplicate: true, first: 1, last: 500 });
    expect(more.at(-1)).toMatchObject({ last: 1700, status: 'completed' });
    expect(bare(await eventsOf(copy))).toEqual(bare(JSON.parse(`[${text.trim().split('\n').slice(1).join()}]`)));
    const again = await importLines(text, `?runId=${copy}`);
    expect(again.every(({ duplicate }) => duplicate)).toBe(true);
    expect(again.at(-1)).toMatchObject({ status: 'completed', last: 1700 });
  });

  test.each([2, 499, 500, 501, 1000])(
    'a run of %d events, wherever its end falls in a batch, is closed',
    async (size) => {
      const copy = newId();
      const answers = await importLines(await exported(await finished(size)), `?runId=${copy}`);
      expect(answers.at(-1)).toMatchObject({ last: size, status: 'completed' });
      expect(await server.log.runs.get(copy)).toMatchObject({ status: 'completed', events: size, last: size });
    },
  );

  test('two imports of one file at once are one run', async () => {
    const text = await exported(await finished(1200));
    const copy = newId();
    const both = await Promise.all([importLines(text, `?runId=${copy}`), importLines(text, `?runId=${copy}`)]);
    for (const answers of both) expect(answers.at(-1)).toMatchObject({ status: 'completed', last: 1200 });
    expect(await eventsOf(copy)).toHaveLength(1200);
  });

  test('a file of a run that had not ended leaves it open; the longer file goes on there', async () => {
    const id = newId();
    await append(server.log, id, [START, ...Array.from({ length: 700 }, (_, i) => custom(i))]);
    const early = await exported(id);
    const copy = newId();
    const refused = (await importLines(early, `?runId=${copy}`)).at(-1);
    expect(refused).toMatchObject({ code: 'invalid_request', line: 702, stored: 500 });
    expect(refused.detail).toContain('ends before its run does');
    await append(server.log, id, [custom('late'), END]);
    expect((await importLines(await exported(id), `?runId=${copy}`)).at(-1)).toMatchObject({
      last: 703,
      status: 'completed',
    });
  });

  test('a run that is there is not touched: run_exists, whoever made it', async () => {
    const id = await finished(3);
    const text = await exported(id);
    expect(await importLines(text)).toMatchObject([{ code: 'run_exists', status: 409, runId: id }]);
    const copy = newId();
    await importLines(text, `?runId=${copy}`);
    const other = await exported(await finished(4));
    expect(await importLines(other, `?runId=${copy}`)).toMatchObject([{ code: 'run_exists', status: 409 }]);
    expect(await eventsOf(copy)).toHaveLength(3);
  });

  test('of a half imported run the rest of another file is refused', async () => {
    const half = newId();
    const lines = (await exported(await finished(1100))).split('\n');
    await importLines(`${lines.slice(0, 800).join('\n')}\n`, `?runId=${half}`);
    const other = lines.with(300, lines[300]!.replace('"value":', '"value":1'));
    const refused = (await importLines(other.join('\n'), `?runId=${half}`)).at(-1);
    expect(refused).toMatchObject({ code: 'run_exists', status: 409 });
    const later = lines.with(700, lines[700]!.replace('"value":', '"value":1'));
    expect((await importLines(later.join('\n'), `?runId=${half}`)).at(-1)).toMatchObject({ status: 'completed' });
    const conflict = (await importLines(lines.join('\n'), `?runId=${half}`)).at(-1);
    expect(conflict).toMatchObject({ code: 'producer_conflict', status: 409, line: 1001 });
  });

  const header = runFileHeader('x', 'x');
  const event = (seq: number, type: string, data: object = {}, more: object = {}) => ({
    seq,
    epoch: 'e',
    threadId: 'x',
    runId: 'x',
    type,
    time: '2026-11-20T18:00:00.000Z',
    data,
    ...more,
  });
  const start = event(1, 'run.started', { agent: 'a' });
  const end = event(9, 'run.completed');
  const note = event(2, 'custom', { name: 'n', value: 1 });
  test.each<[string, unknown[], string, RegExp]>([
    ['nothing', [], 'invalid_request', /no event/],
    ['only a header', [header], 'invalid_request', /no event/],
    ['no header', [start, end], 'invalid_request', /^line 1: a run begins/],
    ['a header of a later version', [{ ...header, version: 2 }, start], 'invalid_request', /^line 1: .*version 2/],
    ['a header with more', [{ ...header, owner: 'me' }, start], 'invalid_request', /^line 1/],
    ['no beginning', [header, note, end], 'invalid_event', /^line 2: a run begins with/],
    ['no end', [header, start, note], 'invalid_request', /line, 3, is custom/],
    [
      'something behind the end',
      [header, start, end, event(10, 'custom', { name: 'n', value: 1 })],
      'invalid_event',
      /^line 4: nothing may follow run.completed/,
    ],
    [
      'two ends',
      [header, start, end, event(10, 'run.failed', { error: { code: 'x', message: '' } })],
      'invalid_event',
      /^line 4/,
    ],
    [
      'two beginnings',
      [header, start, event(2, 'run.started', { agent: 'a' }), end],
      'invalid_event',
      /^line 3: run.started comes twice/,
    ],
    [
      'a line of another run',
      [header, start, { ...note, runId: 'y' }, end],
      'invalid_event',
      /^line 3: it is of run y/,
    ],
    [
      'a line of another thread',
      [header, start, { ...note, threadId: 'y' }, end],
      'invalid_event',
      /^line 3: it is of thread y/,
    ],
    ['a line twice', [header, start, note, note, end], 'invalid_event', /^line 4: event 2 comes behind event 2/],
    [
      'lines in another order',
      [header, start, event(5, 'my.own'), note, end],
      'invalid_event',
      /^line 4: event 2 comes behind event 5/,
    ],
    [
      'a merged frame',
      [header, start, { ...note, first: 1, count: 2 }, end],
      'invalid_event',
      /^line 3: this is a frame of a stream/,
    ],
    ['a malformed event', [header, start, event(2, 'tool.called', {}), end], 'invalid_event', /^line 3/],
    ['a type of the server', [header, start, event(2, 'stream.hello'), end], 'reserved_type', /^line 3/],
    ['a time that is none', [header, start, { ...note, time: 'now","x":"' }, end], 'invalid_event', /^line 3.time/],
    [
      'a parent that is none',
      [header, start, { ...note, parentRunId: '"' }, end],
      'invalid_event',
      /^line 3.parentRunId/,
    ],
    [
      'an event that is too large',
      [header, start, event(2, 'my.own', { x: 'y'.repeat(LIMITS.eventBytes - 60) }), end],
      'event_too_large',
      /^line 3/,
    ],
  ])('%s is refused by its line, and nothing is stored', async (_name, lines, code, detail) => {
    const answers = await importLines(lines.map((it) => `${JSON.stringify(it)}\n`).join(''));
    expect(answers).toMatchObject([{ code, detail: expect.stringMatching(detail) }]);
    expect(await server.log.runs.get('x')).toBeUndefined();
  });

  test('an event of the full size goes round', async () => {
    const id = newId();
    const context = { runId: id, threadId: id, time: '2026-11-20T18:00:00.000Z' };
    const draft = (size: number) => ({ type: 'my.own', data: { x: 'y'.repeat(size) } });
    const room = LIMITS.eventBytes - encodeEvent(draft(0), context).bytes;
    await append(server.log, id, [START]);
    await server.log.append(id, [encodeEvent(draft(room), context)], { runId: id });
    await append(server.log, id, [END]);
    const copy = newId();
    expect(copy.length).toBe(id.length);
    expect((await importLines(await exported(id), `?runId=${copy}`)).at(-1)).toMatchObject({ status: 'completed' });
  });

  test.each([
    ['?runId=a%2Fb', { status: 400, code: 'invalid_request' }],
    ['?surprise=1', { status: 400, code: 'invalid_request' }],
  ])('%s is refused', async (query, problem) => {
    expect(await importLines(`${JSON.stringify(header)}\n`, query)).toMatchObject([problem]);
  });

  test('JSON is no run, and other origins may not import', async () => {
    const url = `${server.url}/v1/runs/import`;
    const post = (headers: Record<string, string>) => fetch(url, { method: 'POST', headers, body: '{}\n' });
    expect((await post({ 'content-type': 'application/json' })).status).toBe(415);
    expect((await post({ 'content-type': 'application/x-ndjson', origin: 'https://evil.example' })).status).toBe(403);
    expect((await fetch(`${server.url}/v1/runs/import`)).status).toBe(404);
  });

  test('a bad line far before the end is told while the rest is still being sent', async () => {
    const client = openLines(`${server.url}/v1/runs/import`);
    client.request.on('error', () => {});
    client.write(`${JSON.stringify(header)}\nnonsense\n`);
    const more = `${JSON.stringify(note)}\n`.repeat(1000);
    for (let i = 0; i < 300; i++) client.write(more);
    expect(await client.next()).toMatchObject({ code: 'invalid_json', detail: expect.stringContaining('Line 2') });
    client.request.destroy();
  });
});
