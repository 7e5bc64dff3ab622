import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Log } from '../log/index.ts';
import { openMemory } from '../log/memory.ts';
import { type ApprovalAnswer, encodeEvent, type RunWriter, TelltaleError } from '../protocol/index.ts';
import { Expiries } from './expiries.ts';
import { type Fault, faultyLog } from './faulty-log.fixture.ts';
import { type Answered, Runs } from './index.ts';
import { eventsAtEnd, eventsOf, eventsWhen, fold } from './watching.fixture.ts';

const MANY = process.env.TELLTALE_LONG ? 20 : 1;
const isOutcome = ({ type }: { type: string }) => type === 'approval.resolved' || type === 'approval.expired';

/** The log whose every append waits for the scheduler, and then goes well, or does not. */
function scheduled(log: Log, s: fc.Scheduler, faults: readonly Fault[]): Log {
  let appends = 0;
  return faultyLog(log, ({ once }) => s.schedule(Promise.resolve(faults[appends++] ?? 'none'), `append ${once}`));
}

/** What came of an answer that is sent again for as long as nobody knows what came of it. */
async function insist(runs: Runs, runId: string, decision: string, by: string): Promise<Answered | TelltaleError> {
  for (;;) {
    try {
      return await runs.approvals.answer(runId, 'q', { decision, by, idempotencyKey: by });
    } catch (error) {
      if (!(error instanceof TelltaleError) || !error.retryable) return error as TelltaleError;
    }
  }
}

describe('P3, P10: one question has one outcome, and everybody is told the same', { timeout: 30_000 * MANY }, () => {
  test('answers from two nodes, expiries and the end of the run in any order, over a log that fails at random', async () => {
    const fault = fc.constantFrom<Fault>('none', 'none', 'refused', 'answer lost');
    const input = [fc.scheduler(), fc.array(fault, { maxLength: 6 }), fc.nat(4), fc.nat(2), fc.boolean()] as const;
    await fc.assert(
      fc.asyncProperty(...input, async (s, faults, answers, expiries, ends) => {
        const log = openMemory();
        const flaky = scheduled(log, s, faults);
        const nodes = [new Runs(flaky), new Runs(flaky)];
        const { runId } = await new Runs(log).start({ agent: 'mine', mode: 'remote' });
        const run = { runId, threadId: runId };
        const time = new Date().toISOString();
        const asked = encodeEvent(
          { type: 'approval.requested', data: { approvalId: 'q', prompt: '?' } },
          { ...run, time },
        );
        await log.append(runId, [asked], { runId });

        const told = Array.from({ length: answers }, (_, i) =>
          insist(nodes[i % 2]!, runId, i % 3 ? 'approve' : 'deny', `viewer-${i}`),
        );
        const others = Array.from({ length: expiries }, () =>
          new Expiries(flaky).expire(run, 'q').catch((error: TelltaleError) => expect(error.retryable).toBe(true)),
        );
        if (ends) {
          const end = encodeEvent({ type: 'run.completed', data: {} }, { ...run, time });
          others.push(
            s.schedule(Promise.resolve(), 'end').then(async () => {
              await log.append(runId, [end], { runId, closes: true });
            }),
          );
        }
        await s.waitFor(Promise.all([...told, ...others]));

        const events = await eventsOf(log, runId);
        const outcomes = events.filter(isOutcome);
        expect(outcomes.length).toBeLessThanOrEqual(1);
        const [outcome] = outcomes;
        const [approval] = fold(events).approvals;
        if (outcome) expect(approval?.endSeq).toBe(outcome.seq);
        for (const [i, answer] of (await Promise.all(told)).entries()) {
          if (!(answer instanceof TelltaleError)) {
            expect(outcome).toMatchObject({ seq: answer.seq, data: { decision: answer.decision, by: `viewer-${i}` } });
          } else if (answer.code === 'already_decided') {
            const { decision, by, seq } = answer.particulars;
            expect(outcome).toMatchObject({ type: 'approval.resolved', seq, data: { decision, by } });
            expect(by).not.toBe(`viewer-${i}`);
          } else if (answer.code === 'approval_expired') {
            expect(outcome).toMatchObject({ type: 'approval.expired', seq: answer.particulars.seq });
          } else {
            expect(answer.code).toBe('run_closed');
            expect([ends, outcome]).toEqual([true, undefined]);
          }
        }
        if (answers > 0 && !ends) expect(outcome).toBeDefined();
      }),
      { numRuns: 300 * MANY },
    );
  });

  test('for real: answers race the time of a question, and the agent goes on with what the log says', async () => {
    const log = openMemory();
    const runs = new Runs(log);
    runs.register('asks', (run: RunWriter) => run.approve({ prompt: '?', expiresIn: 8 }));
    const ends = new Set<string>();
    for (let round = 0; round < 40 * MANY; round++) {
      const { runId } = await runs.start({ agent: 'asks' });
      await eventsWhen(log, runId, (events) => events.some(({ type }) => type === 'approval.requested'));
      // From before the time of the question to behind it.
      const pause = (round % 10) + 3;
      await new Promise((resolve) => setTimeout(resolve, pause));
      const answer = await runs.approvals
        .answer(runId, 'approval-1', { decision: 'approve' })
        .catch((error) => error.code);
      const events = await eventsAtEnd(log, runId);
      const outcomes = events.filter(isOutcome);
      expect(outcomes).toHaveLength(1);
      const { approved } = events.at(-1)!.data.output as ApprovalAnswer;
      expect(approved).toBe(outcomes[0]!.type === 'approval.resolved');
      expect(approved ? ['object'] : ['approval_expired', 'run_closed']).toContain(approved ? typeof answer : answer);
      ends.add(outcomes[0]!.type);
    }
    await runs.close();
    // Else this was no race.
    expect([...ends].sort()).toEqual(['approval.expired', 'approval.resolved']);
  });

  test('while the log is away an expiry waits, and is written when it is back', async () => {
    const log = openMemory();
    let away = 3;
    const runs = new Runs(faultyLog(log, ({ once }) => (once && away-- > 0 ? 'refused' : 'none')));
    const { runId } = await runs.start({ agent: 'mine', mode: 'remote' });
    const data = { approvalId: 'q', prompt: '?', expiresAt: new Date(Date.now() + 5).toISOString() };
    await runs.remote.append(runId, [{ type: 'approval.requested', data }]);
    const events = await eventsWhen(log, runId, (them) => them.some(isOutcome));
    expect(events.filter(isOutcome)).toMatchObject([{ type: 'approval.expired', data: { approvalId: 'q' } }]);
    await runs.close();
  });
});
