import { describe, expect, test } from 'vitest';
import type { Log } from '../log/index.ts';
import { openMemory } from '../log/memory.ts';
import { Runs } from './index.ts';
import { eventsOf, eventsWhen, fold } from './watching.fixture.ts';

const call = (callId: string, amount: number) => ({
  type: 'llm.completed',
  data: { callId, usage: { totalTokens: 10 }, cost: { amount, currency: 'USD', source: 'provider' } },
});
const tool = (toolCallId: string) => ({ type: 'tool.started', data: { toolCallId, name: 'look' } });
const about = (events: Awaited<ReturnType<typeof eventsOf>>) =>
  events.filter((it) => /^(budget|control)\./.test(it.type)).map(({ type, data }) => [type, data]);

async function opened(budget: object, policy?: object): Promise<{ log: Log; runs: Runs }> {
  const log = openMemory();
  const runs = new Runs(log, { budget: policy });
  await runs.start({ agent: 'far', mode: 'remote', runId: 'r', budget });
  return { log, runs };
}

describe('a remote run’s budget', () => {
  test('is in its log, warns, and asks the producer to stop, in the answer to the append that used it up', async () => {
    const { log, runs } = await opened({ maxCost: 1 }, { maxTokens: 1000 });
    expect(await runs.remote.append('r', [call('1', 0.5)])).not.toHaveProperty('commands');
    expect(await runs.remote.append('r', [call('2', 0.4)])).not.toHaveProperty('commands');
    const { commands } = await runs.remote.append('r', [call('3', 0.4)]);
    expect(commands).toMatchObject([
      { command: 'cancel', by: 'budget', reason: 'The budget is used up: cost, 1.3 of 1.' },
    ]);
    await runs.remote.append('r', [call('4', 0.4)]);
    expect(about(await eventsOf(log, 'r'))).toEqual([
      ['budget.set', { maxCost: 1, maxTokens: 1000, currency: 'USD', onExceeded: 'stop' }],
      ['budget.warning', { limit: 'cost', used: 0.9, max: 1 }],
      ['budget.exceeded', { limit: 'cost', used: 1.3, max: 1, decision: 'stop' }],
      ['control.requested', expect.objectContaining({ command: 'cancel', by: 'budget' })],
    ]);
  });

  test('a producer that does not stop is told of as overdue, as with every command', async () => {
    const log = openMemory();
    const runs = new Runs(log, { commandTimeoutMs: 20 });
    await runs.start({ agent: 'far', mode: 'remote', runId: 'r', budget: { maxCost: 1 } });
    await runs.remote.append('r', [call('1', 1.1)]);
    const events = await eventsWhen(log, 'r', (all) => all.some(({ type }) => type === 'control.overdue'));
    expect(fold(events).commands).toMatchObject([{ command: 'cancel', by: 'budget', status: 'overdue' }]);
  });

  test('goes on where it was after the server was restarted', async () => {
    const { log, runs } = await opened({ maxCost: 1 });
    await runs.remote.append('r', [call('1', 0.9)]);
    const next = new Runs(log);
    const { commands } = await next.remote.append('r', [call('2', 0.2)]);
    expect(commands).toMatchObject([{ by: 'budget' }]);
    await new Runs(log).remote.append('r', [call('3', 0.2)]);
    const types = about(await eventsOf(log, 'r')).map(([type]) => type);
    expect(types).toEqual(['budget.set', 'budget.warning', 'budget.exceeded', 'control.requested']);
  });

  test('counts tool calls: the one beyond the maximum is told', async () => {
    const { log, runs } = await opened({ maxToolCalls: 2 });
    expect(await runs.remote.append('r', [tool('1'), tool('2')])).not.toHaveProperty('commands');
    expect((await runs.remote.append('r', [tool('3')])).commands).toMatchObject([{ by: 'budget' }]);
    expect(fold(await eventsOf(log, 'r')).budget?.exceeded).toMatchObject({ limit: 'toolCalls', used: 3, max: 2 });
  });

  test('is the server’s, whatever the producer says of it', async () => {
    const { runs } = await opened({ maxCost: 1 });
    await runs.remote.append('r', [{ type: 'budget.set', data: { maxCost: 1_000_000 } }]);
    expect((await runs.remote.append('r', [call('1', 2)])).commands).toMatchObject([{ by: 'budget' }]);
  });

  test('is not in the way of a run’s end', async () => {
    const { log, runs } = await opened({ maxCost: 1 });
    await runs.remote.append('r', [call('1', 2), { type: 'run.completed', data: {} }]);
    expect(fold(await eventsOf(log, 'r')).status).toBe('completed');
  });

  test.each(['pause', 'ask'] as const)('cannot %s: nobody here holds its producer back', async (onExceeded) => {
    const started = new Runs(openMemory()).start({ agent: 'far', mode: 'remote', budget: { maxCost: 1, onExceeded } });
    await expect(started).rejects.toMatchObject({ code: 'invalid_request', message: /budget.onExceeded/ });
  });
});
