import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openMemory } from '../log/memory.ts';
import { type RunWriter, TelltaleError, type TelltaleEvent } from '../protocol/index.ts';
import { type Fault, faultyLog } from './faulty-log.fixture.ts';
import { type CommandAnswer, Runs } from './index.ts';
import { type Answer, checkRace } from './race.fixture.ts';
import { eventsAtEnd, fold } from './watching.fixture.ts';

const MANY = process.env.TELLTALE_LONG ? 20 : 1;

type Step = 'checkpoint' | 'tool' | 'side by side' | 'floating' | 'throw';
const step = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom<Step>('checkpoint', 'tool', 'side by side', 'floating') },
  { weight: 1, arbitrary: fc.constant<Step>('throw') },
);
const wish = fc.record({
  command: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('pause' as const, 'resume' as const) },
    { weight: 1, arbitrary: fc.constant('cancel' as const) },
  ),
  // A few keys, so that some meet.
  key: fc.option(fc.nat(2), { nil: undefined }),
});
const fault = fc.constantFrom<Fault>('none', 'none', 'none', 'none', 'refused', 'answer lost');

async function follow(steps: readonly Step[], run: RunWriter, turn: () => Promise<void>): Promise<void> {
  const tool = (name: string) => run.tool(name, {}, turn);
  for (const it of steps) {
    await turn();
    if (it === 'throw') throw new Error('thrown by the program');
    if (it === 'checkpoint') await run.checkpoint();
    if (it === 'tool') await tool('one');
    if (it === 'side by side') await Promise.all([tool('left'), run.agent('right', () => tool('right'))]);
    if (it === 'floating') void tool('floats');
  }
}

describe('P10: commands, natural ends, failures and log faults, in any order', { timeout: 60_000 * MANY }, () => {
  const seen = new Map<string, number>();

  test('leave one end, one outcome for every command, and nobody who is held for ever', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(step, { maxLength: 6 }),
        fc.array(wish, { maxLength: 8 }),
        fc.array(fault, { maxLength: 4 }),
        fc.constantFrom(1, 60_000),
        async (s, steps, wishes, faults, commandTimeoutMs) => {
          const inner = openMemory();
          let append = 0;
          const log = faultyLog(inner, async ({ opens }) => {
            if (opens) return 'none';
            await s.schedule(Promise.resolve(), 'append');
            return faults[append++] ?? 'none';
          });
          const turn = () => s.schedule(Promise.resolve(), 'step').then(() => undefined);
          const runs = new Runs(log, { commandTimeoutMs });
          runs.register('it', (run) => follow(steps, run, turn));
          const { runId } = await runs.start({ agent: 'it' });
          const answers: Answer[] = [];
          const ask = async ({ command, key }: { command: 'cancel' | 'pause' | 'resume'; key: number | string }) => {
            const asked = () => runs.commands.ask(runId, { command, idempotencyKey: String(key) });
            const answer = await untilStored(asked);
            if (answer) answers.push({ asked: command, ...answer });
          };
          const asked = wishes.map(({ command, key }, i) =>
            s.schedule(Promise.resolve(), command).then(() => ask({ command, key: key ?? `own-${i}` })),
          );
          // All that was asked for is in the log: whoever is held now is let go by one more word.
          const ended = Promise.all(asked).then(() => ask({ command: 'resume', key: 'last' }));
          await s.waitFor(Promise.all([ended, eventsAtEnd(inner, runId)]));
          const events = await eventsAtEnd(inner, runId);
          runs.commands.close();
          checkRace(events, answers);
          const run = fold(events);
          for (const it of [run.status, ...run.commands.map(({ command, status }) => `${command} ${status}`)]) {
            seen.set(it, (seen.get(it) ?? 0) + 1);
          }
        },
      ),
      { numRuns: 150 * MANY },
    );
    // It was a race: everything that can come of a command came.
    const outcomes = ['pause', 'resume', 'cancel'].flatMap((it) => [`${it} applied`, `${it} void`]);
    expect([...seen.keys()]).toEqual(
      expect.arrayContaining(['completed', 'failed', 'cancelled', ...outcomes, 'pause refused', 'resume refused']),
    );
  });
});

/** What a client does with a key: again, as long as it is not known what came of it. A key that is used up is left alone. */
async function untilStored(ask: () => Promise<CommandAnswer>): Promise<CommandAnswer | undefined> {
  for (;;) {
    try {
      return await ask();
    } catch (thrown) {
      const error = TelltaleError.from(thrown);
      if (error.code === 'idempotency_conflict') return undefined;
      if (!error.retryable) throw error;
      await nextTurn();
    }
  }
}

describe('the judge of races', () => {
  const GOOD: readonly [type: string, data: object][] = [
    ['run.started', { agent: 'a' }],
    ['control.requested', { command: 'pause', commandId: 'p1' }],
    ['run.paused', { commandId: 'p1' }],
    ['control.requested', { command: 'pause', commandId: 'p2' }],
    ['control.refused', { commandId: 'p2', error: { code: 'c', message: 'm' } }],
    ['control.requested', { command: 'resume', commandId: 'r1' }],
    ['run.resumed', { commandId: 'r1' }],
    ['tool.started', { toolCallId: 't', name: 'n' }],
    ['control.requested', { command: 'cancel', commandId: 'c1' }],
    ['control.requested', { command: 'cancel', commandId: 'c2' }],
    ['run.cancelled', { commandId: 'c1' }],
  ];
  const ASKED = GOOD.toSpliced(
    10,
    0,
    ['approval.requested', { approvalId: 'q', prompt: '?' }],
    ['approval.resolved', { approvalId: 'q', decision: 'deny' }],
  );
  const denied: Answer = { asked: 'deny', approvalId: 'q', decision: 'deny', seq: 12 };
  const answers: readonly Answer[] = [
    { asked: 'pause', commandId: 'p1', seq: 2, status: 'running' },
    { asked: 'pause', commandId: 'p1', seq: 2, status: 'running', duplicate: true },
    { asked: 'pause', status: 'paused' },
  ];
  const eventsOf = (story: typeof GOOD): TelltaleEvent[] =>
    story.map(([type, data], i) => {
      const place = { seq: i + 1, epoch: 'e', threadId: 'r', runId: 'r', time: '2026-11-20T18:00:00.000Z' };
      return { ...place, type, data } as unknown as TelltaleEvent;
    });
  const without = (index: number) => GOOD.toSpliced(index, 1);

  test('lets a good one pass', () => checkRace(eventsOf(GOOD), answers));

  test('lets a question pass that one has answered, and of which the others were told', () =>
    checkRace(eventsOf(ASKED), [
      ...[denied, { ...denied, duplicate: true as const }],
      { ...denied, asked: 'approve', code: 'already_decided' },
    ]));

  test.each<[string, typeof GOOD, RegExp]>([
    ['no end', without(10), /ends/],
    ['an end in the middle', GOOD.toSpliced(7, 0, ['run.completed', {}]), /ends/],
    ['a command that stands twice', GOOD.toSpliced(9, 1, GOOD[8]!), /twice in the log/],
    ['an outcome of nothing', without(1), /answers nothing/],
    ['two outcomes', GOOD.toSpliced(5, 0, GOOD[4]!), /two outcomes/],
    ['an outcome of another kind', GOOD.toSpliced(6, 1, ['run.resumed', { commandId: 'c1' }]), /comes before|another/],
    [
      'a resume that nobody heard',
      GOOD.toSpliced(3, 0, ['control.requested', { command: 'resume', commandId: 'r0' }]),
      /passed over/,
    ],
    ['a pause that a resume forgot', GOOD.toSpliced(4, 1), /passed over/],
    ['the second who cancelled', GOOD.toSpliced(10, 1, ['run.cancelled', { commandId: 'c2' }]), /than the first/],
    ['a pause of what is paused', GOOD.toSpliced(4, 1, ['run.paused', { commandId: 'p2' }]), /paused twice/],
    ['a resume without a pause', GOOD.toSpliced(1, 4), /without a pause/],
    ['a tool that begins while paused', GOOD.toSpliced(3, 0, GOOD[7]!), /while paused/],
    ['a question with two outcomes', ASKED.toSpliced(12, 0, ['approval.expired', { approvalId: 'q' }]), /q has 2/],
    ['an answer without a question', ASKED.toSpliced(10, 1), /answers nothing/],
  ])('condemns %s', (_name, story, why) => {
    expect(() => checkRace(eventsOf(story), [])).toThrow(why);
  });

  test.each<[string, Answer]>([
    ['a command that is not there', { asked: 'pause', commandId: 'p9', seq: 2 }],
    ['another command', { asked: 'resume', commandId: 'p1', seq: 2 }],
    ['a status that never was', { asked: 'cancel', status: 'failed' }],
    ['the same to two', { asked: 'pause', commandId: 'p1', seq: 2, status: 'running' }],
  ])('condemns an answer that tells of %s', (_name, answer) => {
    expect(() => checkRace(eventsOf(GOOD), [...answers, answer])).toThrow();
  });

  test.each<[string, Answer]>([
    ['another answer', { ...denied, decision: 'approve' }],
    ['another number', { ...denied, seq: 11 }],
    ['an expiry that was none', { asked: 'deny', approvalId: 'q', code: 'approval_expired', seq: 12 }],
    ['the same to two', denied],
  ])('condemns an answer to a question that tells of %s', (_name, answer) => {
    expect(() => checkRace(eventsOf(ASKED), [denied, answer])).toThrow();
  });
});
