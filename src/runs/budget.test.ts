import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { openMemory } from '../log/memory.ts';
import {
  type BudgetLimits,
  budgetUsed,
  type EventDraft,
  emptySnapshot,
  isTerminal,
  type RunSnapshot,
  type RunWriter,
  reduce,
  strictest,
  type TelltaleEvent,
} from '../protocol/index.ts';
import { RunBudget } from './budget.ts';
import { Runs } from './index.ts';
import { eventsAtEnd, eventsWhen, fold, runOnce } from './watching.fixture.ts';

const usd = (amount: number) => ({ amount, currency: 'USD', source: 'test' });
const spend = (run: RunWriter, callId: string, tokens: number, amount?: number) =>
  run.emit('llm.completed', {
    callId,
    usage: { inputTokens: tokens, outputTokens: 0, totalTokens: tokens },
    ...(amount !== undefined && { cost: usd(amount) }),
  });
const of = (events: readonly TelltaleEvent[], type: string) =>
  events.filter((it) => it.type === type).map((it) => it.data);

/** Model calls of one price, each before the gate, until something stops it; what it got to. */
const spender = (amount: number, calls: number, begun: { count: number }) => async (run: RunWriter) => {
  for (let i = 0; i < calls; i++) {
    await run.checkpoint();
    begun.count++;
    spend(run, `c${i}`, 10, amount);
  }
  return 'done';
};

describe('the strictest of several budgets', () => {
  test.each<[string, (BudgetLimits | undefined)[], object | undefined]>([
    ['of none is none', [undefined, {}], undefined],
    ['without a maximum is none', [{ onExceeded: 'stop', warnAt: 0.5 }], undefined],
    [
      'has the smallest of each maximum',
      [{ maxCost: 5, maxTokens: 10 }, { maxCost: 1 }, { maxTokens: 90 }],
      { maxCost: 1, maxTokens: 10, currency: 'USD' },
    ],
    [
      'has the strictest decision of those who said one',
      [{ maxTokens: 1, onExceeded: 'ask' }, { onExceeded: 'pause' }, {}],
      { maxTokens: 1, onExceeded: 'pause' },
    ],
    [
      'warns as early as anybody wants',
      [{ maxTokens: 1, warnAt: 0.9 }, { warnAt: 0.5 }],
      { maxTokens: 1, warnAt: 0.5 },
    ],
    ['keeps a currency', [{ maxCost: 5, currency: 'EUR' }, { currency: 'EUR' }], { maxCost: 5, currency: 'EUR' }],
    ['keeps a maximum of nothing', [{ maxToolCalls: 0 }, { maxToolCalls: 3 }], { maxToolCalls: 0 }],
  ])('%s', (_name, budgets, expected) => {
    expect(strictest(...budgets)).toEqual(expected);
  });

  it('refuses costs that cannot be compared', () => {
    expect(() => strictest({ maxCost: 5 }, { maxCost: 5, currency: 'EUR' })).toThrow(/budget\.currency: USD and EUR/);
  });
});

describe('a budget that is none is refused before anything is stored, naming the field', () => {
  test.each<[object, string]>([
    [{ maxCost: -1 }, 'budget.maxCost'],
    [{ maxCost: Number.NaN }, 'budget.maxCost'],
    [{ maxCost: Number.POSITIVE_INFINITY }, 'budget.maxCost'],
    [{ maxCost: 1e13 }, 'budget.maxCost'],
    [{ maxCost: '1' }, 'budget.maxCost'],
    [{ maxTokens: 1.5 }, 'budget.maxTokens'],
    [{ maxTokens: 2e12 }, 'budget.maxTokens'],
    [{ maxToolCalls: -1 }, 'budget.maxToolCalls'],
    [{ maxTokens: 1, warnAt: 1.1 }, 'budget.warnAt'],
    [{ maxTokens: 1, warnAt: -0.1 }, 'budget.warnAt'],
    [{ maxCost: 1, currency: 'dollars' }, 'budget.currency'],
    [{ maxCost: 1, currency: 'EUR' }, 'budget.currency'],
    [{ maxTokens: 1, onExceeded: 'explode' }, 'budget.onExceeded'],
    [{ maxMoney: 1 }, 'maxMoney'],
  ])('%j', async (budget, field) => {
    const log = openMemory();
    const runs = new Runs(log, { budget: { maxCost: 100 } });
    runs.register('it', () => {});
    const refused = runs.start({ agent: 'it', runId: 'r1', budget: budget as BudgetLimits });
    await expect(refused).rejects.toMatchObject({ code: 'invalid_request', message: expect.stringContaining(field) });
    expect(await log.head('r1')).toBeUndefined();
    expect(() => runs.register('other', () => {}, { budget: budget as BudgetLimits })).toThrow(
      expect.objectContaining({ code: 'invalid_option', message: expect.stringContaining(field) }),
    );
  });
});

describe('a run with a budget', () => {
  it('has it in its log before its agent’s first line, as the least of all that hold', async () => {
    const log = openMemory();
    const runs = new Runs(log, { budget: { maxCost: 5, warnAt: 0.5 } });
    runs.register('it', async (run: RunWriter) => run.custom('first line', 1), { budget: { maxToolCalls: 9 } });
    const { runId } = await runs.start({ agent: 'it', budget: { maxCost: 99, maxToolCalls: 3, onExceeded: 'pause' } });
    const events = await eventsAtEnd(log, runId);
    expect(events.map((it) => it.type)).toEqual(['run.started', 'budget.set', 'custom', 'run.completed']);
    expect(events[1]!.data).toEqual({ maxCost: 5, maxToolCalls: 3, warnAt: 0.5, currency: 'USD', onExceeded: 'pause' });
  });

  it('stops before the call that it cannot pay for, and says what was used', async () => {
    const begun = { count: 0 };
    const { events, run } = await runOnce(openMemory(), spender(0.3, 9, begun), { budget: { maxCost: 1 } });
    expect(begun.count).toBe(4);
    expect(of(events, 'budget.warning')).toEqual([{ limit: 'cost', used: 0.9, max: 1 }]);
    expect(of(events, 'budget.exceeded')).toEqual([{ limit: 'cost', used: 1.2, max: 1, decision: 'stop' }]);
    expect(run).toMatchObject({ status: 'failed', error: { code: 'budget_exceeded', retryable: false } });
    expect(events.at(-1)!.data).toMatchObject({ usage: { totalTokens: 40 } });
  });

  it('counts what adds up to its maximum as used up, though binary fractions do not add up', async () => {
    const begun = { count: 0 };
    await runOnce(openMemory(), spender(0.1, 99, begun), { budget: { maxCost: 1 } });
    expect(begun.count).toBe(10);
  });

  it('holds back the tool call beyond its maximum, not the answer', async () => {
    const done: number[] = [];
    const { run, events } = await runOnce(
      openMemory(),
      async (run) => {
        const all = [1, 2, 3].map((i) => run.tool('look', {}, () => void done.push(i)));
        await run.checkpoint();
        run.custom('the answer', 1);
        await Promise.all(all);
      },
      { budget: { maxToolCalls: 2 } },
    );
    expect(done).toEqual([1, 2]);
    expect(run).toMatchObject({ status: 'failed', tools: [{ status: 'completed' }, { status: 'completed' }] });
    expect(of(events, 'budget.exceeded')).toEqual([{ limit: 'toolCalls', used: 2, max: 2, decision: 'stop' }]);
  });

  it('begins nothing where its maximum is nothing', async () => {
    const begun = { count: 0 };
    const { run } = await runOnce(openMemory(), spender(1, 2, begun), { budget: { maxCost: 0, onExceeded: 'pause' } });
    expect([begun.count, run.error?.code]).toEqual([0, 'budget_exceeded']);
  });

  it('lets an agent tidy up after a stop with nothing that it would have to pay for', async () => {
    let outcome: unknown;
    const { run } = await runOnce(
      openMemory(),
      async (run) => {
        spend(run, 'c', 10, 2);
        await run.checkpoint().catch(() => undefined);
        outcome = await run.tool('tidy', {}, () => 'done').catch((error: unknown) => error);
      },
      { budget: { maxCost: 1 } },
    );
    expect(outcome).toMatchObject({ code: 'budget_exceeded' });
    expect(run).toMatchObject({ status: 'failed', tools: [] });
  });

  it('takes a cost that nobody knows for unknown, says so once, and keeps to what it knows', async () => {
    const { events, run } = await runOnce(
      openMemory(),
      async (run) => {
        for (let i = 0; i < 9; i++) {
          await run.checkpoint();
          spend(run, `c${i}`, 10);
        }
      },
      { budget: { maxCost: 1, maxTokens: 50 } },
    );
    expect(of(events, 'error.reported')).toMatchObject([{ error: { code: 'cost_unknown' } }]);
    expect(of(events, 'budget.exceeded')).toMatchObject([{ limit: 'tokens', used: 50 }]);
    expect(budgetUsed(run)[0]).not.toHaveProperty('used');
  });

  it('paused by it, a run goes on when it is resumed, with the same amount again', async () => {
    const log = openMemory();
    const runs = new Runs(log);
    const begun = { count: 0 };
    runs.register('it', spender(0.6, 4, begun));
    const { runId } = await runs.start({ agent: 'it', budget: { maxCost: 1, onExceeded: 'pause' } });
    await paused(log, runId, 1);
    expect(begun.count).toBe(2);
    await runs.commands.ask(runId, { command: 'resume', by: 'ann' });
    const events = await eventsAtEnd(log, runId);
    expect(of(events, 'budget.set')).toMatchObject([{ maxCost: 1 }, { maxCost: 2.2, onExceeded: 'pause' }]);
    expect(events.filter((it) => it.type.startsWith('run.')).map((it) => it.type)).toEqual([
      'run.started',
      'run.paused',
      'run.resumed',
      'run.completed',
    ]);
    expect(fold(events)).toMatchObject({ status: 'completed', cost: { amount: 2.4 } });
  });

  it('holds all agents for one decision, and lets them go on in their order', async () => {
    const log = openMemory();
    const runs = new Runs(log);
    const went: string[] = [];
    runs.register('it', async (run: RunWriter) => {
      spend(run, 'c', 10, 1);
      const agents = ['a', 'b', 'c'].map((name) =>
        run.agent(name, async (agent) => {
          await agent.checkpoint();
          went.push(name);
        }),
      );
      await Promise.all(agents);
    });
    const { runId } = await runs.start({ agent: 'it', budget: { maxCost: 1, onExceeded: 'ask' } });
    const asked = await eventsWhen(log, runId, (events) => of(events, 'approval.requested').length > 0);
    const { approvalId } = of(asked, 'approval.requested')[0] as { approvalId: string };
    expect(went).toEqual([]);
    await runs.approvals.answer(runId, approvalId, { decision: 'approve' });
    const events = await eventsAtEnd(log, runId);
    expect(went).toEqual(['a', 'b', 'c']);
    expect(of(events, 'approval.requested')).toHaveLength(1);
    expect(of(events, 'budget.set')).toMatchObject([{ maxCost: 1 }, { maxCost: 2 }]);
  });

  it('paused by it, a run can still be cancelled', async () => {
    const log = openMemory();
    const runs = new Runs(log);
    const begun = { count: 0 };
    runs.register('it', spender(2, 4, begun));
    const { runId } = await runs.start({ agent: 'it', budget: { maxCost: 1, onExceeded: 'pause' } });
    await paused(log, runId, 1);
    await runs.commands.ask(runId, { command: 'cancel' });
    expect(fold(await eventsAtEnd(log, runId)).status).toBe('cancelled');
    expect(begun.count).toBe(1);
  });
});

describe('a run that a budgeted run has started', () => {
  const family = async (child: (run: RunWriter) => unknown, budget: BudgetLimits) => {
    const log = openMemory();
    const runs = new Runs(log);
    const parent = async (run: RunWriter) => {
      spend(run, 'own', 10, 0.5);
      await run.child('child').catch(() => undefined);
      await run.checkpoint();
      return 'done';
    };
    for (const [name, fn] of Object.entries({ parent, child })) runs.register(name, fn);
    await runs.start({ agent: 'parent', runId: 'p', budget });
    const events = await eventsWhen(log, 'p', (all) => all.some((it) => it.runId === 'p' && isTerminal(it.type)));
    return { parent: events.filter((it) => it.runId === 'p'), child: events.filter((it) => it.runId !== 'p') };
  };

  it('has what is left of it, and what it spends is spent by the one above', async () => {
    const both = await family((run) => spend(run, 'c', 20, 0.25), { maxCost: 1, maxToolCalls: 3 });
    expect(of(both.child, 'budget.set')).toEqual([{ maxCost: 0.5, currency: 'USD' }]);
    expect(fold(both.parent)).toMatchObject({
      status: 'completed',
      usage: { totalTokens: 30 },
      cost: { amount: 0.75 },
    });
  });

  it('stops where nothing is left, and so does the one above', async () => {
    const begun = { count: 0 };
    const both = await family(spender(0.3, 9, begun), { maxCost: 1 });
    expect(begun.count).toBe(2);
    expect(of(both.child, 'run.failed')).toMatchObject([{ error: { code: 'budget_exceeded' } }]);
    expect(of(both.parent, 'budget.exceeded')).toMatchObject([{ limit: 'cost', used: 1.1, max: 1 }]);
    expect(fold(both.parent)).toMatchObject({ status: 'failed', error: { code: 'budget_exceeded' } });
  });
});

describe('any stream of usage and calls', () => {
  const amount = fc.constantFrom(undefined, 0, 0.1, 0.25, 1);
  const action = fc.oneof(
    fc.record({
      do: fc.constant('model' as const),
      amount,
      tokens: fc.nat(5),
      currency: fc.constantFrom('USD', 'USD', 'EUR'),
    }),
    fc.record({ do: fc.constant('tool' as const), denied: fc.boolean() }),
    fc.record({ do: fc.constant('stated' as const), amount: fc.constantFrom(0.5, 2), tokens: fc.nat(20) }),
  );
  const limits = fc
    .record(
      {
        maxCost: fc.constantFrom(0, 0.5, 1, 3),
        maxTokens: fc.nat(20),
        maxToolCalls: fc.nat(4),
        warnAt: fc.constantFrom(0, 0.5, 1),
        onExceeded: fc.constantFrom('stop' as const, 'pause' as const, 'ask' as const),
      },
      { requiredKeys: [] },
    )
    .map((it) => strictest(it))
    .filter((it) => it !== undefined);

  it('begins no call whose maximum is used up, warns and exceeds once each, and tells the fold’s own figures', async () => {
    await fc.assert(
      fc.asyncProperty(
        limits,
        fc.array(action, { maxLength: 40 }),
        fc.array(fc.boolean()),
        async (set, actions, answers) => {
          let run: RunSnapshot = emptySnapshot('r');
          let seq = 0;
          const counts = new Map<string, number>();
          let unknown = 0;
          const abort = new AbortController();
          const tell = (type: string, data: object) => {
            // Of what was told before it, as the log holds it.
            if (type === 'budget.warning' || type === 'budget.exceeded') {
              const { limit, used, max } = data as { limit: string; used: number; max: number };
              expect(budgetUsed(run).find((it) => it.limit === limit)).toMatchObject({ used, max });
              counts.set(`${type} ${limit}`, (counts.get(`${type} ${limit}`) ?? 0) + 1);
            }
            // From here on once more.
            if (type === 'budget.set') counts.clear();
            if (type === 'error.reported') expect(unknown++).toBe(0);
            const at = { seq: ++seq, runId: 'r', threadId: 't', epoch: 'e', time: '' };
            run = reduce(run, { ...at, type, data } as TelltaleEvent);
            budget.hear({ type, data } as EventDraft);
            if (type === 'budget.set')
              for (const key of counts.keys()) if (key !== 'error.reported') counts.delete(key);
            for (const [what, count] of counts) expect(`${what} ${count}`).toBe(`${what} 1`);
          };
          const budget: RunBudget = new RunBudget(set, {
            signal: abort.signal,
            tell,
            stop: (error) => abort.abort(error),
            pause: async () => {},
            ask: async () => answers.pop() ?? false,
          });
          budget.begin();
          const usedUp = (isTool: boolean) =>
            budgetUsed(run).filter(
              ({ limit, used, max }) => (isTool || limit !== 'toolCalls') && used !== undefined && used >= max,
            );
          let id = 0;
          for (const it of actions) {
            const isTool = it.do === 'tool';
            try {
              for (let held = budget.check(isTool ? {} : undefined); held; held = budget.check(isTool ? {} : undefined))
                await held;
            } catch (error) {
              expect(error).toMatchObject({ code: 'budget_exceeded' });
              expect(usedUp(isTool)).not.toEqual([]);
              continue;
            }
            expect(usedUp(isTool)).toEqual([]);
            const usage = (tokens: number) => ({ inputTokens: tokens, outputTokens: 0, totalTokens: tokens });
            if (it.do === 'tool') {
              tell('tool.started', { toolCallId: `${++id}`, name: 't' });
              if (it.denied) tell('tool.denied', { toolCallId: `${id}` });
            } else if (it.do === 'stated') tell('usage.updated', { usage: usage(it.tokens), cost: usd(it.amount) });
            else {
              const cost = it.amount === undefined ? {} : { cost: { ...usd(it.amount), currency: it.currency } };
              tell('llm.completed', { callId: `${++id}`, usage: usage(it.tokens), ...cost });
            }
          }
          const warned = budgetUsed(run).filter(({ used, max, warnAt }) => used !== undefined && used >= warnAt * max);
          for (const { limit } of warned) {
            const { warnings = [], exceeded } = run.budget ?? {};
            expect([...warnings, exceeded].some((told) => told?.limit === limit)).toBe(true);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

async function paused(log: ReturnType<typeof openMemory>, runId: string, times: number): Promise<void> {
  await eventsWhen(log, runId, (events) => of(events, 'run.paused').length === times);
}
