/**
 * Random programs of an agent: nested and parallel scopes, texts, failures, caught and not, against a log that fails
 * now and then, cancelled at any moment. Whatever comes of it is one well-formed run.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openMemory } from '../log/memory.ts';
import { isTerminal, type RunSnapshot, type RunWriter, type TelltaleEvent } from '../protocol/index.ts';
import { type Fault, faultyLog } from './faulty-log.fixture.ts';
import { currentRun, Runs } from './index.ts';
import { eventsAtEnd, fold } from './watching.fixture.ts';

type Program =
  | { do: 'turn' | 'checkpoint' | 'throw' }
  | { do: 'mark' | 'say' | 'stream' | 'think'; from: 'writer' | 'context' }
  | { do: 'agent' | 'tool' | 'step' | 'caught' | 'floating' | 'all' | 'generator'; body: Program[] };

const { program } = fc.letrec<{ program: Program; body: Program[] }>((tie) => ({
  body: fc.array(tie('program'), { maxLength: 4 }),
  program: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('turn', 'turn', 'turn', 'checkpoint', 'throw') }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constantFrom('mark', 'say', 'stream', 'think'),
        from: fc.constantFrom('writer', 'context'),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constantFrom('agent', 'tool', 'step', 'caught', 'floating', 'all', 'generator'),
        body: tie('body'),
      }),
    },
  ) as fc.Arbitrary<Program>,
}));

/** What the program should have said: the marks and texts in the order of the calls, each with its agent's path. */
interface Expected {
  readonly marks: { n: number; names: string }[];
  agents: number;
}

/** `run` is the outermost writer, on purpose: the async context has to find the agent. */
async function perform(body: Program[], run: RunWriter, names: readonly string[], expected: Expected): Promise<void> {
  for (const it of body) {
    switch (it.do) {
      case 'turn':
        await nextTurn();
        break;
      case 'checkpoint':
        await run.checkpoint();
        break;
      case 'throw':
        throw new Error('thrown by the program');
      case 'mark': {
        const n = expected.marks.push({ n: expected.marks.length, names: names.join('/') }) - 1;
        (it.from === 'writer' ? run : currentRun()!).custom('mark', n);
        break;
      }
      case 'say':
        await (it.from === 'writer' ? run : currentRun()!).say('said');
        break;
      case 'think':
      case 'stream':
        await run[it.do === 'think' ? 'think' : 'say'](pieces());
        break;
      case 'agent': {
        const name = `n${expected.agents++}`;
        await run.agent(name, () => perform(it.body, run, [...names, name], expected));
        break;
      }
      case 'tool':
        await run.tool('t', {}, () => perform(it.body, run, names, expected));
        break;
      case 'step':
        await run.step('s', () => perform(it.body, run, names, expected));
        break;
      case 'caught':
        await perform(it.body, run, names, expected).catch(() => undefined);
        break;
      case 'floating':
        run.tool('floats', {}, () => perform(it.body, run, names, expected));
        break;
      case 'all':
        await Promise.all(it.body.map((one) => perform([one], run, names, expected)));
        break;
      case 'generator': {
        const name = `n${expected.agents++}`;
        await run.agent(name, async function* () {
          for (const one of it.body) {
            yield 'yielded ';
            await perform([one], run, [...names, name], expected);
          }
        });
      }
    }
  }
}

async function* pieces(): AsyncGenerator<string> {
  yield 'a ';
  await nextTurn();
  yield 'b';
}

/** What holds for every run, however it went. */
function checkWhole(events: readonly TelltaleEvent[], run: RunSnapshot): void {
  expect(events.map((it) => it.seq)).toEqual(events.map((_, index) => index + 1));
  expect(events.filter((it) => isTerminal(it.type))).toEqual([events.at(-1)]);
  const { agents, tools, steps, messages, reasoning, commands } = run;
  const spans = [...agents, ...tools, ...steps, ...messages, ...reasoning];
  expect(spans.filter((it) => it.status === 'running' || it.endSeq === undefined)).toEqual([]);
  expect(commands.filter((it) => it.status === 'requested')).toEqual([]);
  const known = new Map(agents.map((it) => [it.id, it]));
  expect(known.size).toBe(agents.length);
  for (const { agent } of events) {
    if (!agent) continue;
    expect(known.get(agent.id)).toMatchObject(agent);
    expect(agent.path.split('/').at(-1)).toBe(agent.id);
  }
  for (const text of messages) {
    const whole = text.text.startsWith('yielded') ? /^(yielded )+$/ : /^(said|(a (b)?)?)$/;
    expect(text.text).toMatch(whole);
  }
}

async function perpetrate(body: Program[], faults: readonly Fault[], cancelAfter: number | undefined) {
  const inner = openMemory();
  let attempt = 0;
  // After these the log is well again, so that every program ends.
  const log = faultyLog(inner, () => faults[attempt++] ?? 'none');
  const expected: Expected = { marks: [], agents: 0 };
  const runs = new Runs(log, { graceMs: 1_000 });
  runs.register('program', (run) => perform(body, run, [], expected));
  const { runId } = await runs.start({ agent: 'program' });
  if (cancelAfter !== undefined) {
    for (let i = 0; i < cancelAfter; i++) await nextTurn();
    await new Runs(inner).commands.ask(runId, { command: 'cancel' });
  }
  const events = await eventsAtEnd(inner, runId);
  const run = fold(events, runId);
  checkWhole(events, run);
  const marks = events
    .filter((it) => it.type === 'custom')
    .map((it) => ({
      n: it.data.value as number,
      names: (it.agent?.path ?? '').replace(/-\d+(?=\/|$)/g, ''),
    }));
  return { run, events, marks, expected: expected.marks };
}

/** Twenty times as many programs, when there is time. */
const MANY = process.env.TELLTALE_LONG ? 20 : 1;

const fault = fc.constantFrom<Fault>('none', 'none', 'refused', 'answer lost');

describe('P10: any program of an agent leaves one whole run', { timeout: 30_000 * MANY }, () => {
  test('left alone: every event once, in order, of the right agent', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(program, { maxLength: 6 }), async (body) => {
        const { run, marks, expected } = await perpetrate(body, [], undefined);
        expect(['completed', 'failed']).toContain(run.status);
        // What floats may say its last word after the end.
        expect(marks).toEqual(expected.slice(0, marks.length));
        if (!JSON.stringify(body).match(/floating|"all"/)) expect(marks).toEqual(expected);
      }),
      { numRuns: 300 * MANY },
    );
  });

  test('cancelled at any moment', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(program, { maxLength: 6 }), fc.nat(12), async (body, after) => {
        const { run, marks, expected } = await perpetrate(body, [], after);
        expect(['completed', 'failed', 'cancelled']).toContain(run.status);
        expect(marks).toEqual(expected.slice(0, marks.length));
      }),
      { numRuns: 300 * MANY },
    );
  });

  test('against a log that fails at random: nothing lost, nothing twice', async () => {
    const faults = fc.array(fault, { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(program, { maxLength: 6 }),
        faults,
        fc.option(fc.nat(12), { nil: undefined }),
        async (body, wrong, after) => {
          const { marks, expected, run } = await perpetrate(body, wrong, after);
          expect(marks).toEqual(expected.slice(0, marks.length));
          expect(run.errors.filter((it) => it.code === 'events_dropped')).toEqual([]);
        },
      ),
      { numRuns: 60 * MANY },
    );
  });
});
