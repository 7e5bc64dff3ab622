import { filter, firstValueFrom, lastValueFrom, type Observable, retry, take, toArray } from 'rxjs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bundle } from '../client/bundle.fixture.ts';
import { type Client, createClient } from '../client/index.ts';
import { type StreamServer, streamServer } from '../http/stream.fixture.ts';
import { append, custom, type Draft, delta, END, START } from '../hub/drafts.fixture.ts';
import { until } from '../hub/recording.fixture.ts';
import { deltasOf } from '../protocol/index.ts';
import { connection$, events$, run$, runs$ } from './index.ts';

let server: StreamServer;
let client: Client;
let requests = 0;

beforeEach(async () => {
  server = await streamServer();
  requests = 0;
  const counting: typeof fetch = (input, init) => {
    requests++;
    return fetch(input, init);
  };
  client = createClient({ url: server.url, fetch: counting });
});
afterEach(async () => {
  client.close();
  await server.close();
  expect(server.errors).toEqual([]);
});

/** What an observable has said so far. */
function record<T>(source: Observable<T>) {
  const said: { values: T[]; error?: unknown; isComplete: boolean } = { values: [], isComplete: false };
  const subscription = source.subscribe({
    next: (value) => said.values.push(value),
    error: (error) => (said.error = error),
    complete: () => (said.isComplete = true),
  });
  return { said, subscription };
}

test('a run is emitted as it is folded, and completes with it', async () => {
  await append(server.log, 'r', [START, delta('Hello ')]);
  const { said } = record(run$(client, 'r'));
  await until(() => said.values.at(-1)?.messages[0]?.text === 'Hello ', 'the history');
  await append(server.log, 'r', [delta('you.'), END]);
  await until(() => said.isComplete, 'the end');
  expect(said.values.at(-1)).toMatchObject({ status: 'completed', seq: 4, messages: [{ text: 'Hello you.' }] });
  expect(new Set(said.values).size).toBe(said.values.length);
});

test('nothing is asked for before somebody subscribes, and the connection is closed a second after the last has left', async () => {
  await append(server.log, 'r', [START]);
  const run = run$(client, 'r');
  const connection = connection$(client, 'r');
  expect(requests).toBe(0);
  const first = record(run);
  const second = record(connection);
  await until(() => server.hub.viewers === 1 && first.said.values.length > 0, 'the stream');
  first.subscription.unsubscribe();
  await append(server.log, 'r', [custom(1)]);
  await firstValueFrom(events$(client, 'r').pipe(filter(({ seq }) => seq === 2)));
  expect(server.hub.viewers).toBe(1);
  second.subscription.unsubscribe();
  const left = performance.now();
  await until(() => server.hub.viewers === 0, 'the connection to be closed');
  expect(performance.now() - left).toBeLessThan(2_000);
  expect(first.said.values.at(-1)?.seq).toBe(1);
});

test('whoever waits for an event that does not come leaves at once', async () => {
  await append(server.log, 'r', [START]);
  const { said, subscription } = record(events$(client, 'r'));
  await until(() => said.values.length === 1, 'the first event');
  subscription.unsubscribe();
  await until(() => server.hub.viewers === 0, 'the connection to be closed', 2_000);
});

test('subscribers of a run share one connection, and a late one gets the last value at once', async () => {
  await append(server.log, 'r', [START, custom(1)]);
  const first = record(run$(client, 'r'));
  await until(() => first.said.values.at(-1)?.seq === 2, 'the first');
  const late = record(run$(client, 'r'));
  expect(late.said.values).toEqual([first.said.values.at(-1)]);
  const [a, b] = [record(connection$(client, 'r')), record(events$(client, 'r'))];
  await append(server.log, 'r', [END]);
  await until(() => [first, late, a, b].every(({ said }) => said.isComplete), 'all to complete');
  expect(late.said.values.at(-1)).toBe(first.said.values.at(-1));
  expect(requests).toBe(1);
});

test('subscribed again after its end: the last value, and the end; no connection', async () => {
  await append(server.log, 'r', [START, END]);
  const end = await lastValueFrom(run$(client, 'r'));
  const { said } = record(run$(client, 'r'));
  expect(said).toEqual({ values: [end], isComplete: true });
  expect(record(connection$(client, 'r')).said).toMatchObject({ values: [{ connection: 'closed' }], isComplete: true });
  expect(requests).toBe(1);
});

test('every subscriber of the events gets all of them, in order, those who come late too', async () => {
  const many: Draft[] = Array.from({ length: 3_000 }, (_, i) => custom(i));
  for (let i = 0; i < 3; i++)
    await append(server.log, 'r', [...(i === 0 ? [START] : []), ...many.slice(i * 999, i * 999 + 999)]);
  const early = record(events$(client, 'r'));
  await until(() => early.said.values.length > 100, 'the early one');
  const late = record(events$(client, 'r'));
  const after = record(events$(client, 'r', { after: `${early.said.values[0]?.epoch}.2990` }));
  await append(server.log, 'r', [delta('a'), delta('b'), END]);
  await until(() => [early, late, after].every(({ said }) => said.isComplete), 'all to complete');
  const seqs = ({ said }: typeof early) =>
    said.values.flatMap((frame) =>
      deltasOf(frame).flatMap(({ first, seq }) =>
        Array.from({ length: seq - (first ?? seq) + 1 }, (_, i) => (first ?? seq) + i),
      ),
    );
  const all = Array.from({ length: 3_001 }, (_, i) => i + 1);
  expect(seqs(early)).toEqual(all);
  expect(seqs(late)).toEqual(all);
  expect(seqs(after)).toEqual(all.slice(2_990));
});

test('what came together is scheduled together', async () => {
  await append(server.log, 'r', [START, ...Array.from({ length: 500 }, (_, i) => custom(i)), END]);
  const calls = { run: 0, events: 0 };
  const count = (name: keyof typeof calls) => (emit: () => void) => {
    calls[name]++;
    emit();
  };
  const [events] = await Promise.all([
    firstValueFrom(events$(client, 'r', { schedule: count('events') }).pipe(toArray())),
    lastValueFrom(run$(client, 'r', { schedule: count('run') })),
  ]);
  expect(events).toHaveLength(502);
  expect(calls.events).toBeLessThan(20);
  expect(calls.run).toBeLessThan(20);
});

test('what a scheduler puts off comes later, in order', async () => {
  await append(server.log, 'r', [START]);
  const { said } = record(run$(client, 'r', { schedule: (emit) => setTimeout(emit) }));
  await append(server.log, 'r', [delta('x'), END]);
  await until(() => said.isComplete, 'the end');
  const seqs = said.values.map(({ seq }) => seq);
  expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
  expect(seqs.at(-1)).toBe(3);
});

test('a cut is no error: the connection says so, and the run goes on', async () => {
  await append(server.log, 'r', [START]);
  const { said } = record(run$(client, 'r'));
  const phases = record(connection$(client, 'r'));
  await until(() => phases.said.values.at(-1)?.connection === 'live', 'the stream');
  client.run('r').reconnect();
  await until(() => requests === 2 && phases.said.values.at(-1)?.connection === 'live', 'it to come back');
  await append(server.log, 'r', [END]);
  await until(() => said.isComplete && phases.said.isComplete, 'the end');
  expect(phases.said.values.map(({ connection }) => connection)).toContain('reconnecting');
  expect(new Set(said.values).size).toBe(said.values.length);
  expect(said.values.at(-1)?.seq).toBe(2);
});

test('what does not pass is an error of the run and the events, and a value of the connection', async () => {
  const [run, events, connection] = [
    record(run$(client, 'none')),
    record(events$(client, 'none')),
    record(connection$(client, 'none')),
  ];
  await until(() => Boolean(run.said.error && events.said.error), 'the errors');
  expect([run.said.error, events.said.error]).toMatchObject(Array(2).fill({ code: 'run_not_found' }));
  expect(connection.said).not.toHaveProperty('error');
  expect(connection.said.isComplete).toBe(false);
  expect(connection.said.values.at(-1)).toMatchObject({ connection: 'closed', error: { code: 'run_not_found' } });
  expect(record(run$(client, 'no run id')).said.error).toMatchObject({ code: 'invalid_request' });
});

test.each([
  ['run$', run$],
  ['events$', events$],
])('%s asks again with retry, also while somebody else looks at the error', async (_name, source) => {
  const { subscription } = record(connection$(client, 'r'));
  const { said } = record((source as typeof run$)(client, 'r').pipe(retry({ delay: 20 }), take(1)));
  await until(() => requests > 2, 'a few attempts');
  await append(server.log, 'r', [START]);
  await until(() => said.isComplete, 'the run');
  expect(said.values).toMatchObject([{ seq: 1 }]);
  subscription.unsubscribe();
});

test('all of them complete when their client is closed', async () => {
  await append(server.log, 'r', [START]);
  const all = [record(run$(client, 'r')), record(events$(client, 'r')), record(connection$(client, 'r'))];
  await until(() => all.every(({ said }) => said.values.length > 0), 'values');
  client.close();
  await until(() => all.every(({ said }) => said.isComplete), 'all to complete');
});

test('the list of runs is emitted where it changed, until its client is closed', async () => {
  await append(server.log, 'a', [START]);
  await append(server.log, 'ended', [START, END]);
  const { said } = record(runs$(client, { status: 'running', limit: 2 }));
  const ids = () => said.values.at(-1)?.map(({ runId }) => runId);
  await until(() => ids()?.length === 1, 'the list');
  await append(server.log, 'b', [START]);
  await until(() => ids()?.length === 2, 'a run that began');
  await append(server.log, 'a', [END]);
  await until(() => ids()?.length === 1, 'a run that ended');
  expect(ids()).toEqual(['b']);
  expect(requests).toBe(1);
  client.close();
  await until(() => said.isComplete, 'the end');
});

test.each([
  ['connection$, events$, run$, runs$', 1024],
  ['AgentActivityService', 1280],
])('a page that has the client and RxJS ships little more for %s', async (names, bytes) => {
  const without = await bundle(`export { createClient } from './index.ts'; export { Observable } from 'rxjs';`);
  const page = await bundle(`
    export { createClient } from './index.ts';
    export { Observable } from 'rxjs';
    export { ${names} } from '../rxjs/index.ts';
  `);
  expect(page.gzip - without.gzip).toBeLessThanOrEqual(bytes);
});
