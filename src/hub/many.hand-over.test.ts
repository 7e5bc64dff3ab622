/** Several streams of one viewer from history to live: every order in which the log may answer, wake and commit. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { openMemory } from '../log/memory.ts';
import { append, custom, END, START } from './drafts.fixture.ts';
import { Hub } from './index.ts';
import { ManyRecording, ManyViewer, ofStream, run, thread, watchAll } from './many-viewer.fixture.ts';
import { scheduled, settle } from './scheduled-log.fixture.ts';

/** Longer than any test: what is found here is found without the timed check. */
const NEVER = 1e9;
/** Two runs that share a thread, the thread itself, and a run in another. */
const STREAMS = [run('a', 't'), run('b', 't'), thread('t'), run('c')];

const scenario = fc.asyncProperty(
  fc.scheduler(),
  fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 6 }),
  // Which streams are on each connection, and how many turns it lives for.
  fc.array(fc.tuple(fc.shuffledSubarray(STREAMS, { minLength: 1 }), fc.integer({ min: 0, max: 20 })), { maxLength: 3 }),
  fc.boolean(),
  fc.boolean(),
  async (s, appends, connections, tinyWindow, hintsOnly) => {
    const memory = openMemory();
    const recording = new ManyRecording();
    const threadOf = (id: string) => (id === 'c' ? 'c' : 't');
    const say = async (id: string, ...drafts: Parameters<typeof append>[2][number][]) => {
      const threadId = threadOf(id);
      await recording.of(threadId).acked(memory, threadId, await append(memory, id, drafts, threadId));
    };
    for (const id of ['a', 'b', 'c']) await say(id, START, custom(id));
    const hub = new Hub(scheduled(memory, s, hintsOnly), {
      latenessMs: NEVER,
      heartbeatMs: NEVER,
      ...(tinyWindow && { windowBytes: 1 }),
    });
    const producing = (async () => {
      for (const id of appends) {
        await s.schedule(Promise.resolve(), 'appends');
        await say(id, custom(1), custom(2));
      }
      for (const id of ['a', 'b', 'c']) {
        await s.schedule(Promise.resolve(), 'ends');
        await say(id, END);
      }
    })();
    const viewer = new ManyViewer('v', recording);
    const watching = (async () => {
      // One that is left out for a while begins anew, so all stay once they came; the last connection has them all.
      const known = new Map<string, string>();
      for (const [streams, turns] of connections) {
        for (const [name, threadId] of streams) known.set(name, threadId);
        await s.schedule(Promise.resolve(), 'a viewer comes');
        const { sink } = await watchAll(hub, [...known].reverse(), { viewer });
        for (let turn = 0; turn < turns; turn++) await s.schedule(Promise.resolve(), 'reads');
        sink.vanish();
      }
      await watchAll(hub, STREAMS, { viewer });
    })();
    await settle(s);
    await Promise.all([producing, watching]);
    await settle(s);
    viewer.complete();
    const findings = recording.findings(ofStream);
    const closing = hub.close();
    await settle(s);
    await closing;
    expect(findings).toEqual([]);
    expect([hub.viewers, hub.threads]).toEqual([0, 0]);
  },
);

test('P7: no stream has a hole or a repeat, whatever the order of appends, wake-ups, answers and connections', async () => {
  await fc.assert(scenario, { numRuns: process.env.TELLTALE_LONG ? 20_000 : 400 });
}, 300_000);
