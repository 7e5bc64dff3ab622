import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openMemory } from '../log/memory.ts';
import type { ApprovalAnswer, ApprovalRequest, RunWriter } from '../protocol/index.ts';
import { type AgentFunction, Runs, type RunsOptions } from './index.ts';
import { eventsAtEnd, eventsWhen, fold } from './watching.fixture.ts';

const has =
  (type: string, count = 1) =>
  (events: readonly { type: string }[]) =>
    events.filter((it) => it.type === type).length >= count;

/** Starts an agent, and waits until it has asked. */
async function asking(fn: AgentFunction, options: RunsOptions = {}, log = openMemory()) {
  const runs = new Runs(log, options);
  runs.register('it', fn);
  const { runId } = await runs.start({ agent: 'it' });
  await eventsWhen(log, runId, has('approval.requested'));
  return { log, runs, runId };
}

describe('run.approve()', () => {
  test('asks, waits, and goes on with the answer; the log says who was asked what, and who answered', async () => {
    const { log, runs, runId } = await asking(async (run: RunWriter) =>
      run.agent('Deployer', (agent) => agent.approve({ prompt: 'Deploy?', toolCallId: 't1' })),
    );
    expect((await runs.snapshot(runId)).status).toBe('running');
    const answered = await runs.approvals.answer(runId, 'approval-1', {
      decision: 'approve',
      by: 'ada',
      comment: 'ok',
    });
    expect(answered).toEqual({ approvalId: 'approval-1', status: 'resolved', decision: 'approve', by: 'ada', seq: 4 });
    const events = await eventsAtEnd(log, runId);
    expect(events.at(-1)).toMatchObject({
      type: 'run.completed',
      data: { output: { approvalId: 'approval-1', approved: true, decision: 'approve', by: 'ada', comment: 'ok' } },
    });
    expect(events.find(({ type }) => type === 'approval.requested')).toMatchObject({
      agent: { name: 'Deployer' },
      // What is not said is written too: every viewer shows the same buttons.
      data: { approvalId: 'approval-1', prompt: 'Deploy?', toolCallId: 't1', options: ['approve', 'deny'] },
    });
    expect(fold(events).approvals).toMatchObject([{ status: 'resolved', decision: 'approve', by: 'ada', endSeq: 4 }]);
  });

  test.each<[string, boolean]>([
    ['later', true],
    ['never', false],
  ])('of options of its own, only the first is a yes: %s', async (decision, approved) => {
    const { log, runs, runId } = await asking((run: RunWriter) =>
      run.approve({ prompt: '?', options: ['later', 'never'] }),
    );
    await runs.approvals.answer(runId, 'approval-1', { decision });
    expect((await eventsAtEnd(log, runId)).at(-1)).toMatchObject({ data: { output: { approved, decision } } });
  });

  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'approve'],
    ['no prompt', {}, 'prompt'],
    ['an empty prompt', { prompt: '' }, 'prompt'],
    ['a prompt of 16,385 characters', { prompt: 'x'.repeat(16_385) }, 'prompt'],
    ['no options', { prompt: '?', options: [] }, 'options'],
    ['an empty option', { prompt: '?', options: [''] }, 'options.0'],
    ['an option twice', { prompt: '?', options: ['a', 'a'] }, 'options'],
    ['33 options', { prompt: '?', options: Array.from({ length: 33 }, (_, i) => `${i}`) }, 'options'],
    ['no time at all', { prompt: '?', expiresIn: 0 }, 'expiresIn'],
    ['a negative time', { prompt: '?', expiresIn: -1 }, 'expiresIn'],
    ['no number as time', { prompt: '?', expiresIn: Number.NaN }, 'expiresIn'],
    ['a time without end', { prompt: '?', expiresIn: Number.POSITIVE_INFINITY }, 'expiresIn'],
    ['a member that is none', { prompt: '?', expires: 5 }, 'expires'],
  ])('%s is refused where it is asked, and nothing is stored', async (_name, request, field) => {
    const log = openMemory();
    const runs = new Runs(log);
    runs.register('it', (run: RunWriter) =>
      run.approve(request as ApprovalRequest).catch(({ code, message }) => ({ code, message })),
    );
    const { runId } = await runs.start({ agent: 'it' });
    const events = await eventsAtEnd(log, runId);
    expect(events.map(({ type }) => type)).toEqual(['run.started', 'run.completed']);
    expect(events.at(-1)!.data.output).toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining(field),
    });
  });

  test('nobody answers in time: it expires in the log, and the agent goes on without', async () => {
    const { log, runId } = await asking((run: RunWriter) => run.approve({ prompt: '?', expiresIn: 20 }));
    const events = await eventsAtEnd(log, runId);
    expect(events.map(({ type }) => type)).toEqual([
      ...['run.started', 'approval.requested', 'approval.expired', 'run.completed'],
    ]);
    expect(events.at(-1)).toMatchObject({ data: { output: { approvalId: 'approval-1', approved: false } } });
    expect(fold(events).approvals).toMatchObject([{ status: 'expired' }]);
  });

  test('a cancel gets through to an agent that waits: approve() rejects with its reason, the fold expires the question', async () => {
    let reason: unknown;
    const { log, runs, runId } = await asking((run: RunWriter) =>
      run.approve({ prompt: '?', expiresIn: 60_000 }).catch((error: unknown) => {
        reason = error;
        expect(error).toBe(run.signal.reason);
      }),
    );
    await runs.commands.ask(runId, { command: 'cancel', reason: 'enough' });
    const events = await eventsAtEnd(log, runId);
    expect(events.at(-1)!.type).toBe('run.cancelled');
    expect(reason).toMatchObject({ name: 'AbortError' });
    expect(fold(events).approvals).toMatchObject([{ status: 'expired' }]);
    await expect(runs.approvals.answer(runId, 'approval-1', { decision: 'deny' })).rejects.toMatchObject({
      code: 'run_closed',
    });
  });

  test('a pause that comes while it waits is told at once, and holds the agent that has its answer until it is resumed', async () => {
    const order: string[] = [];
    const { log, runs, runId } = await asking(async (run: RunWriter) => {
      await run.approve({ prompt: '?' });
      order.push('goes on');
    });
    await runs.commands.ask(runId, { command: 'pause' });
    await eventsWhen(log, runId, has('run.paused'));
    await runs.approvals.answer(runId, 'approval-1', { decision: 'approve' });
    order.push('answered');
    await runs.commands.ask(runId, { command: 'resume' });
    const events = await eventsAtEnd(log, runId);
    expect(order).toEqual(['answered', 'goes on']);
    expect(events.map(({ type }) => type)).toEqual([
      ...['run.started', 'approval.requested', 'control.requested', 'run.paused'],
      ...['approval.resolved', 'control.requested', 'run.resumed', 'run.completed'],
    ]);
  });

  test('a run that listens is paused at once as well; what it hears meanwhile comes when it goes on', async () => {
    const order: unknown[] = [];
    const log = openMemory();
    const runs = new Runs(log);
    runs.register('listens', async (run: RunWriter) => {
      for await (const { input } of run.inputs()) {
        order.push(input);
        break;
      }
    });
    const { runId } = await runs.start({ agent: 'listens' });
    await runs.commands.ask(runId, { command: 'pause' });
    await eventsWhen(log, runId, has('run.paused'));
    await runs.inputs.send(runId, { input: 'hello' });
    order.push('said');
    await runs.commands.ask(runId, { command: 'resume' });
    await eventsAtEnd(log, runId);
    expect(order).toEqual(['said', 'hello']);
  });

  test('one that nobody waits for ends neither the process nor the run; asked after the end it is refused', async () => {
    const late = Promise.withResolvers<RunWriter>();
    const { log, runs, runId } = await asking((run: RunWriter) => {
      void run.approve({ prompt: '?' });
      void run.approve({ prompt: '' });
      late.resolve(run);
    });
    await eventsAtEnd(log, runId);
    await nextTurn();
    await expect((await late.promise).approve({ prompt: '?' })).rejects.toMatchObject({ code: 'run_closed' });
    await runs.close();
  });

  test('many questions at once are answered each by itself, in any order', async () => {
    const { log, runs, runId } = await asking(async (run: RunWriter) =>
      Promise.all(Array.from({ length: 40 }, (_, i) => run.approve({ prompt: `${i}` }))),
    );
    await eventsWhen(log, runId, has('approval.requested', 40));
    // The record of the run remembers the newest 32; the others are found in the log.
    for (let i = 40; i > 0; i--) {
      await runs.approvals.answer(runId, `approval-${i}`, { decision: i % 2 ? 'approve' : 'deny' });
    }
    const output = (await eventsAtEnd(log, runId)).at(-1)!.data.output as ApprovalAnswer[];
    expect(output.map(({ approved }) => approved)).toEqual(Array.from({ length: 40 }, (_, i) => i % 2 === 0));
  });

  test('a question that the agent emitted by itself can be answered, and expires too', async () => {
    const soon = new Date(Date.now() + 30).toISOString();
    const { log, runs, runId } = await asking(async (run: RunWriter) => {
      run.emit('approval.requested', { approvalId: 'q1', prompt: 'May I?' });
      run.emit('approval.requested', { approvalId: 'q2', prompt: 'May I?', expiresAt: soon });
      await run.approve({ prompt: 'Enough?' });
    });
    await eventsWhen(log, runId, has('approval.expired'));
    await expect(runs.approvals.answer(runId, 'q1', { decision: 'yes' })).rejects.toMatchObject({
      code: 'invalid_request',
      particulars: { options: ['approve', 'deny'] },
    });
    await runs.approvals.answer(runId, 'q1', { decision: 'deny' });
    await runs.approvals.answer(runId, 'approval-1', { decision: 'approve' });
    expect(fold(await eventsAtEnd(log, runId)).approvals).toMatchObject([
      { id: 'q1', decision: 'deny' },
      { id: 'q2', status: 'expired' },
      { id: 'approval-1', decision: 'approve' },
    ]);
  });
});
