import { describe, expect, test } from 'vitest';
import { agentActivity, native, workflow } from '../dialects/index.ts';
import type { Log } from '../log/index.ts';
import { openMemory } from '../log/memory.ts';
import { append, custom, type Draft, END, START } from './drafts.fixture.ts';
import { ForkingLog } from './forking-log.fixture.ts';
import type { ExpectedRequest, Hub } from './index.ts';
import { RecordedSink, RecordedViewer, until } from './recording.fixture.ts';
import { hubOn, watch } from './watch.fixture.ts';

/** Opens a stream of thread `t`, which may not be there yet. */
async function expectThread(
  hub: Hub,
  log: Log,
  { room, find }: { room?: number; find?: ExpectedRequest['find'] } = {},
) {
  const viewer = new RecordedViewer('v');
  const sink = new RecordedSink(viewer, room);
  const dialect = native;
  const found = async () => ((await log.head('t')) ? { dialect, threadId: 't', selection: {} } : undefined);
  const outcome = await hub.openExpected({ dialect, threadId: 't', find: find ?? found }, sink);
  return { viewer, sink, outcome };
}

/** The log, but for how it is followed. */
const followedBy = (log: Log, follow: Log['follow']): Log =>
  Object.assign(Object.create(Object.getPrototypeOf(log)), log, {
    append: log.append.bind(log),
    read: log.read.bind(log),
    head: log.head.bind(log),
    close: log.close.bind(log),
    follow,
  }) as Log;

describe('a stream that may be asked for before there is anything to show', () => {
  test('is a stream like any other where there is something', async () => {
    const log = openMemory();
    await append(log, 't', [START]);
    const { viewer } = await expectThread(hubOn(log), log);
    await until(() => viewer.events.length === 1);
    expect(viewer.frames[0]!.event).toBe('stream.hello');
  });

  test('is kept awake until then, and loses nothing of what is written to it', async () => {
    const log = openMemory();
    const hub = hubOn(log, { heartbeatMs: 40 });
    const { viewer, sink } = await expectThread(hub, log);
    expect([viewer.comments, hub.viewers, hub.threads]).toEqual([['connected'], 1, 0]);
    await until(() => viewer.comments.length > 2);
    for (let n = 0; n < 5; n++) await append(log, 't', n === 0 ? [START, custom(n)] : [custom(n)]);
    await until(() => viewer.events.length === 6);
    expect(viewer.events.map(({ id }) => id?.split('.')[1])).toEqual(['1', '2', '3', '4', '5', '6']);
    // What a connection begins with comes once.
    expect(viewer.comments.filter((it) => it === 'connected')).toHaveLength(1);
    expect(hub.viewers).toBe(1);
    sink.vanish();
    expect([hub.viewers, hub.threads]).toEqual([0, 0]);
  });

  test('finds what was written between the first look and the first wake-up', async () => {
    const log = openMemory();
    const follow: Log['follow'] = async (threadId, listener) => {
      if (!(await log.head('t'))) await append(log, 't', [START]);
      return log.follow(threadId, listener);
    };
    const late = followedBy(log, follow);
    const { viewer } = await expectThread(hubOn(late, { latenessMs: 1e9 }), late);
    await until(() => viewer.events.length === 1);
  });

  test('is late by no more than the bound where every wake-up is lost', async () => {
    const log = openMemory();
    const deaf = followedBy(log, async () => () => {});
    const { viewer } = await expectThread(hubOn(deaf, { latenessMs: 200 }), deaf);
    await append(log, 't', [START]);
    await until(() => viewer.events.length === 1, 'the event', 2000);
  });

  test('looks again where it could not look, and follows nothing once it is over', async () => {
    const log = openMemory();
    let following = 0;
    const counted = followedBy(log, async (threadId, listener) => {
      following++;
      const stop = await log.follow(threadId, listener);
      return () => {
        following--;
        stop();
      };
    });
    let asked = 0;
    const find = async () => {
      asked++;
      if (asked === 2) throw new Error('not now');
      return undefined;
    };
    const hub = hubOn(counted, { latenessMs: 40 });
    const { sink } = await expectThread(hub, counted, { find });
    await until(() => asked > 3);
    expect(following).toBe(1);
    sink.vanish();
    expect([following, hub.viewers]).toEqual([0, 0]);
  });

  test('writes nothing to a connection that takes nothing, and ends with its hub', async () => {
    const log = openMemory();
    const hub = hubOn(log, { heartbeatMs: 20 });
    const { sink, viewer } = await expectThread(hub, log, { room: 1 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(sink.writes).toBe(1);
    sink.drain();
    await until(() => sink.writes === 2);
    await hub.close();
    expect([sink.end_, viewer.comments[0]]).toEqual(['end', 'connected']);
  });

  test('is cut where what was found is gone when it is opened', async () => {
    const log = openMemory();
    const errors: unknown[] = [];
    const hub = hubOn(log, { latenessMs: 40, onError: (error) => errors.push(error) });
    let asked = 0;
    const gone = { dialect: native, threadId: 't', selection: { runId: 'gone' } };
    const { sink } = await expectThread(hub, log, { find: async () => (asked++ > 1 ? gone : undefined) });
    await until(() => sink.closed);
    expect([sink.end_, hub.viewers]).toEqual(['abort', 0]);
    expect(errors).toMatchObject([{ code: 'thread_not_found' }]);
  });
});

describe('a stream in another system’s words', () => {
  const step = (n: number): Draft => ['step.started', { stepId: `s${n}`, name: `Step ${n}` }];
  const said = ({ frames }: RecordedViewer) =>
    frames.map(({ event, id }) => `${event} ${id?.split('.').slice(1) ?? '-'}`);

  test('says nothing of itself, and ends behind the end', async () => {
    const log = openMemory();
    await append(log, 'r', [START, step(1)]);
    const { viewer, sink } = await watch(hubOn(log), { dialect: workflow, selection: { runId: 'r' }, thread: 'r' });
    await append(log, 'r', [custom(1), END]);
    await until(() => sink.closed);
    expect(said(viewer)).toEqual([
      'WorkflowStarted 1',
      'WorkflowStepStarted 2',
      'WorkflowStepCompleted 4,1',
      'WorkflowCompleted 4',
    ]);
    expect(sink.end_).toBe('end');
    const again = new RecordedViewer('again');
    again.cursor = viewer.cursor!;
    expect(
      (await watch(hubOn(log), { dialect: workflow, selection: { runId: 'r' }, thread: 'r', viewer: again })).outcome,
    ).toBe('over');
  });

  test('tells a run that is deleted while it is watched as one that failed', async () => {
    const log = openMemory();
    await append(log, 'r', [START]);
    const hub = hubOn(log, { latenessMs: 1e9 });
    const { viewer, sink } = await watch(hub, { dialect: workflow, selection: { runId: 'r' }, thread: 'r' });
    await until(() => viewer.frames.length === 1);
    await Promise.all([append(log, 'r', [END]), log.retention.erase('r')]);
    await until(() => sink.closed);
    expect(JSON.parse(viewer.frames.at(-1)!.data)).toMatchObject({ type: 'WorkflowFailed', error_code: 'run_deleted' });
    expect(viewer.frames.at(-1)!.id).toBeUndefined();
  });

  test('is reset in mid-stream by an error with data, and told everything anew', async () => {
    const forking = new ForkingLog();
    for (let i = 0; i < 6; i++) forking.append();
    const hub = hubOn(forking.log);
    const { viewer } = await watch(hub, { dialect: agentActivity() });
    await until(() => viewer.frames.length === 6);
    forking.fork(4);
    for (let i = 0; i < 3; i++) forking.append();
    await until(() => viewer.cursor === 'e2.7');
    expect(said(viewer).slice(6)).toEqual(['error 0', ...[1, 2, 3, 4, 5, 6, 7].map((seq) => `agentActivity ${seq}`)]);
    expect(JSON.parse(viewer.frames[6]!.data)).toMatchObject({ status: 'reset', details: 'diverged' });
  });

  test('is reset by what its viewer has, however far the fold has come when the log is cut', async () => {
    const forking = new ForkingLog();
    for (let i = 0; i < 6; i++) forking.append();
    let reads = 0;
    const read: Log['read'] = async (threadId, after) => {
      if (++reads === 3) {
        forking.fork(4);
        for (let i = 0; i < 3; i++) forking.append();
      }
      const page = await forking.log.read(threadId, after);
      return { ...page, blocks: page.blocks.slice(0, 1) };
    };
    const viewer = new RecordedViewer('v');
    viewer.cursor = 'e1.6';
    await watch(hubOn({ ...forking.log, read }), { dialect: agentActivity(), viewer });
    await until(() => viewer.cursor === 'e2.7');
    expect(said(viewer)).toEqual(['error 0', ...[1, 2, 3, 4, 5, 6, 7].map((seq) => `agentActivity ${seq}`)]);
  });

  test('goes on where the log was trimmed under its fold', async () => {
    const log = openMemory();
    await append(log, 't', [START, custom(1), custom(2), custom(3), custom(4)]);
    const { epoch } = (await log.head('t'))!;
    const hold = Promise.withResolvers<void>();
    const held = Object.assign(followedBy(log, log.follow.bind(log)), {
      async read(...args: Parameters<Log['read']>) {
        await hold.promise;
        return log.read(...args);
      },
    });
    const viewer = new RecordedViewer('v');
    viewer.cursor = `${epoch}.4`;
    await watch(hubOn(held), { dialect: agentActivity(), viewer });
    await log.retention.trim('t', 3);
    hold.resolve();
    await until(() => viewer.frames.length === 1);
    expect(said(viewer)).toEqual(['agentActivity 5']);
  });

  test('is encoded once, however many watch it', async () => {
    const log = openMemory();
    await append(log, 't', [START]);
    let spoken = 0;
    const dialect = agentActivity();
    const counted: typeof dialect = {
      ...dialect,
      encoder(selection, place) {
        const encoder = dialect.encoder(selection, place);
        return {
          get after() {
            return encoder.after;
          },
          encode(block, limit, merge) {
            spoken++;
            return encoder.encode(block, limit, merge);
          },
        };
      },
    };
    const hub = hubOn(log);
    const watching = await Promise.all(Array.from({ length: 5 }, () => watch(hub, { dialect: counted })));
    await append(log, 't', [custom(1)]);
    await until(() => watching.every(({ viewer }) => viewer.frames.length === 2));
    spoken = 0;
    await append(log, 't', [custom(2)]);
    await until(() => watching.every(({ viewer }) => viewer.frames.length === 3));
    expect(spoken).toBe(1);
  });
});
