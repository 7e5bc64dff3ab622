import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { runAs } from '../adapters/index.ts';
import { openMemory } from '../log/memory.ts';
import { parseDraft, type RunWriter } from '../protocol/index.ts';
import { currentRun } from './index.ts';
import { runOnce, told } from './watching.fixture.ts';

/** What one agent tells between the run's start and its end. */
async function tells(fn: (run: RunWriter) => unknown) {
  const { events, run } = await runOnce(openMemory(), fn);
  return { between: told(events.slice(1, -1)), events, run };
}

async function* stream<T>(...items: T[]): AsyncGenerator<T> {
  for (const item of items) {
    await nextTurn();
    yield item;
  }
}

test('openAgent: the start is written, the end is the caller’s, and what is told there is this agent’s', async () => {
  const { between, run } = await tells(async (run) => {
    await run.agent('Outer', async (outer) => {
      const inner = outer.openAgent('Inner', { input: 'q', model: 'm' });
      inner.custom('direct', 1);
      runAs(inner, () => run.custom('within', 2));
      inner.emit('agent.completed', { output: 'a' });
      outer.custom('after', 3);
    });
  });
  expect(between).toEqual([
    ['agent.started', 'outer-1', {}],
    ['agent.started', 'inner-1', { input: 'q', model: 'm' }],
    ['custom', 'inner-1', { name: 'direct', value: 1 }],
    ['custom', 'inner-1', { name: 'within', value: 2 }],
    ['agent.completed', 'inner-1', { output: 'a' }],
    ['custom', 'outer-1', { name: 'after', value: 3 }],
    ['agent.completed', 'outer-1', {}],
  ]);
  expect(run.agents[1]).toMatchObject({ path: 'outer-1/inner-1', status: 'completed', output: 'a' });
});

describe('text', () => {
  test('a whole text: started and completed, no deltas', async () => {
    const { between } = await tells(async (run) => {
      expect(await run.say('Hello')).toBe('Hello');
      expect(await run.think('Hm')).toBe('Hm');
    });
    expect(between).toEqual([
      ['message.started', { messageId: 'message-1', role: 'assistant' }],
      ['message.completed', { messageId: 'message-1', text: 'Hello' }],
      ['reasoning.started', { reasoningId: 'reasoning-1' }],
      ['reasoning.completed', { reasoningId: 'reasoning-1', text: 'Hm' }],
    ]);
  });

  test('a stream: deltas, and an end that does not repeat them', async () => {
    const { between, run } = await tells(async (run) => {
      expect(await run.say(stream('Hel', '', 'lo'))).toBe('Hello');
    });
    expect(between).toEqual([
      ['message.started', { messageId: 'message-1', role: 'assistant' }],
      ['message.delta', { messageId: 'message-1', delta: 'Hel' }],
      ['message.delta', { messageId: 'message-1', delta: 'lo' }],
      ['message.completed', { messageId: 'message-1' }],
    ]);
    expect(run.messages[0]).toMatchObject({ text: 'Hello', status: 'completed' });
  });

  test('a stream that breaks: the text is closed, the error is the caller’s', async () => {
    const { run } = await tells(async (run) => {
      const broken = async function* () {
        yield 'Hel';
        throw new Error('provider gone');
      };
      await expect(run.say(broken())).rejects.toThrow('provider gone');
    });
    expect(run).toMatchObject({
      status: 'completed',
      messages: [{ text: 'Hel', status: 'completed' }],
      errors: [{ code: 'text_failed', message: 'provider gone' }],
    });
  });

  test('a whole text too large for one event arrives whole', async () => {
    const text = '👀 looking '.repeat(60_000);
    const { run, events } = await tells((run) => run.say(text).then(() => undefined));
    expect(run.messages[0]!.text === text).toBe(true);
    expect(events.length).toBeGreaterThan(4);
  });
});

describe('tools', () => {
  test('started, called, completed; the result is the caller’s', async () => {
    const { between, run } = await tells(async (run) => {
      expect(await run.tool('add', { a: 1, b: 2 }, () => 3)).toBe(3);
    });
    expect(between).toEqual([
      ['tool.started', { toolCallId: 'tool-1', name: 'add' }],
      ['tool.called', { toolCallId: 'tool-1', name: 'add', args: { a: 1, b: 2 } }],
      ['tool.completed', { toolCallId: 'tool-1', name: 'add', result: 3 }],
    ]);
    expect(run.tools[0]!.durationMs).toBeGreaterThan(0);
  });

  test('one that throws: tool.failed, and the same error to the caller', async () => {
    const failure = new Error('404');
    const { between } = await tells(async (run) => {
      await expect(run.tool('get', {}, () => Promise.reject(failure), { toolCallId: 'call_9' })).rejects.toBe(failure);
    });
    expect(between.at(-1)).toEqual([
      'tool.failed',
      { toolCallId: 'call_9', name: 'get', error: { code: 'tool_failed', message: '404' } },
    ]);
  });

  test('what a generator yields is its progress, what it returns the result', async () => {
    const { between } = await tells(async (run) => {
      const result = await run.tool('crawl', {}, async function* () {
        yield 'page 1';
        yield { progress: 0.5, message: 'half' };
        yield ['row'];
        return 7;
      });
      expect(result).toBe(7);
    });
    expect(between.slice(2)).toEqual([
      ['tool.progress', { toolCallId: 'tool-1', message: 'page 1' }],
      ['tool.progress', { toolCallId: 'tool-1', progress: 0.5, message: 'half' }],
      ['tool.progress', { toolCallId: 'tool-1', partial: ['row'] }],
      ['tool.completed', { toolCallId: 'tool-1', name: 'crawl', result: 7 }],
    ]);
  });
});

describe('agents', () => {
  test('an invocation has an id, a path, its model and input, and an end', async () => {
    const { events, run } = await tells((run) =>
      run.agent('Triage', () => run.agent('Order Documents!', () => 'read', { input: [1], model: 'm-1' })),
    );
    expect(events.filter((it) => it.type === 'agent.started').map((it) => it.agent)).toEqual([
      { id: 'triage-1', name: 'Triage', path: 'triage-1' },
      { id: 'order-documents-1', name: 'Order Documents!', path: 'triage-1/order-documents-1' },
    ]);
    expect(run.agents[1]).toMatchObject({ parentId: 'triage-1', model: 'm-1', input: [1], output: 'read' });
    expect(run.agents.map((it) => it.status)).toEqual(['completed', 'completed']);
  });

  test('one that throws fails, and so does its caller if it lets it', async () => {
    const { run } = await tells((run) =>
      run.agent('outer', () =>
        run.agent('inner', () => {
          throw new Error('no');
        }),
      ),
    );
    expect(run).toMatchObject({ status: 'failed', error: { code: 'agent_failed', message: 'no' } });
    expect(run.agents.map((it) => it.status)).toEqual(['failed', 'failed']);
  });

  test('what is deep inside, with whatever writer, reports to the agent that called it', async () => {
    const deep = async (n: number) => {
      await nextTurn();
      currentRun()!.custom('deep', n);
    };
    const { events } = await tells(async (root) => {
      await Promise.all(
        [1, 2, 3].map((n) =>
          root.agent(`a${n}`, async () => {
            await root.tool('t', { n }, () => deep(n));
            root.custom('root', n);
          }),
        ),
      );
      await deep(0);
    });
    const custom = events.filter((it) => it.type === 'custom');
    expect(custom).toHaveLength(7);
    for (const { agent, data } of custom) expect(agent?.name).toBe(data.value ? `a${data.value}` : undefined);
    const tools = events.filter((it) => it.type === 'tool.called');
    expect(tools.map((it) => [it.agent?.name, it.data.args])).toEqual([1, 2, 3].map((n) => [`a${n}`, { n }]));
  });

  test('agents of one name are told apart, and any name makes a valid id', async () => {
    const names = ['Order Docs', 'Order Docs', 'order-docs', 'Документы', 'x'.repeat(300), ''];
    const { events, run } = await tells(async (root) => {
      for (const name of names) await root.agent(name, () => undefined);
    });
    expect(run.agents.map((it) => it.id)).toEqual([
      'order-docs-1',
      'order-docs-2',
      'order-docs-3',
      'agent-1',
      `${'x'.repeat(40)}-1`,
      'agent-2',
    ]);
    expect(run.agents.map((it) => it.name)).toEqual([...names.slice(0, 4), 'x'.repeat(256), 'agent']);
    for (const { agent, type, data } of events) parseDraft({ type, data, ...(agent && { agent }) });
  });

  test('of a very deep path the innermost part is kept', async () => {
    const deeper = (run: RunWriter, n: number): Promise<unknown> =>
      run.agent(`an agent with quite a long name ${n}`, (inner) => (n === 0 ? undefined : deeper(inner, n - 1)));
    const { events, run } = await tells((root) => deeper(root, 40).then(() => undefined));
    expect(run).toMatchObject({ status: 'completed', errors: [] });
    for (const { agent } of events) {
      if (agent) expect([agent.path.length <= 1024, agent.path.endsWith(agent.id)]).toEqual([true, true]);
    }
    expect(run.agents.slice(1).every((it, index) => it.parentId === run.agents[index]!.id)).toBe(true);
  });

  test('a writer used outside of its context still reports to its own agent', async () => {
    const { events } = await tells(async (root) => {
      let inner: RunWriter | undefined;
      await root.agent('a', (run) => {
        inner = run;
      });
      await root.agent('b', () => inner!.custom('late', 1));
    });
    expect(events.find((it) => it.type === 'custom')?.agent?.name).toBe('a');
  });

  test('a failure nobody waits for is told, and does not end the process', async () => {
    const { run } = await tells(async (root) => {
      const broken = () => {
        throw new Error('floating');
      };
      root.tool('a', {}, broken);
      root.agent('b', broken);
      root.step('c', broken);
      // biome-ignore lint/correctness/useYield: it breaks before it has anything to yield.
      const source = async function* (): AsyncGenerator<string> {
        throw new Error('floating');
      };
      root.say(source());
      root.think(source());
      root.plan('p', source());
      for (let i = 0; i < 3; i++) await nextTurn();
      await nextTurn();
      await nextTurn();
    });
    expect(run.status).toBe('completed');
    expect(run.errors.map((it) => it.message)).toEqual(Array(6).fill('floating'));
  });
});

describe('plans and steps', () => {
  test('a step is the planned one of its name or id, once', async () => {
    const { between } = await tells(async (run) => {
      await run.plan('goal', ['read', { id: 'w', name: 'write' }]);
      await run.step('w', () => 1);
      await run.step('read', () => 2);
      await run.step('read', () => 3);
    });
    expect(between).toEqual([
      [
        'plan.created',
        {
          goal: 'goal',
          steps: [
            { id: 'step-1', name: 'read' },
            { id: 'w', name: 'write' },
          ],
        },
      ],
      ['step.started', { stepId: 'w', name: 'write', index: 1 }],
      ['step.completed', { stepId: 'w', result: 1 }],
      ['step.started', { stepId: 'step-1', name: 'read', index: 0 }],
      ['step.completed', { stepId: 'step-1', result: 2 }],
      ['step.started', { stepId: 'step-2', name: 'read' }],
      ['step.completed', { stepId: 'step-2', result: 3 }],
    ]);
  });

  test('a plan that is still being made grows step by step', async () => {
    const { between, run } = await tells(async (run) => {
      expect(await run.plan('goal', stream('a', 'b'))).toEqual([
        { id: 'step-1', name: 'a' },
        { id: 'step-2', name: 'b' },
      ]);
    });
    expect(between.map((it) => (it as [string])[0])).toEqual(['plan.created', 'plan.updated', 'plan.updated']);
    expect(run.steps.map((it) => it.name)).toEqual(['a', 'b']);
  });
});

describe('agents that are generators', () => {
  test('strings are the answer, one message per uninterrupted stretch; {type, data} is an event', async () => {
    const { between, run } = await tells(async function* (run: RunWriter) {
      yield 'Let me ';
      yield 'look.';
      await run.tool('look', {}, () => 1);
      yield 'Found';
      yield { type: 'status.updated', data: { status: 'done' } };
      yield ' it.';
      return { found: 1 };
    });
    expect(between).toEqual([
      ['message.started', { messageId: 'message-1', role: 'assistant' }],
      ['message.delta', { messageId: 'message-1', delta: 'Let me ' }],
      ['message.delta', { messageId: 'message-1', delta: 'look.' }],
      ['message.completed', { messageId: 'message-1' }],
      ['tool.started', { toolCallId: 'tool-1', name: 'look' }],
      ['tool.called', { toolCallId: 'tool-1', name: 'look', args: {} }],
      ['tool.completed', { toolCallId: 'tool-1', name: 'look', result: 1 }],
      ['message.started', { messageId: 'message-2', role: 'assistant' }],
      ['message.delta', { messageId: 'message-2', delta: 'Found' }],
      ['message.completed', { messageId: 'message-2' }],
      ['status.updated', { status: 'done' }],
      ['message.started', { messageId: 'message-3', role: 'assistant' }],
      ['message.delta', { messageId: 'message-3', delta: ' it.' }],
      ['message.completed', { messageId: 'message-3' }],
    ]);
    expect(run.output).toEqual({ found: 1 });
  });

  test('what is yielded and cannot be read is no reason to fail', async () => {
    const { run } = await tells(async function* (run: RunWriter) {
      yield {
        get type() {
          throw new Error('no');
        },
      };
      return run.tool('t', {}, async function* () {
        yield {
          get progress() {
            throw new Error('no');
          },
        };
        return 1;
      });
    });
    expect(run).toMatchObject({ status: 'completed', output: 1, errors: [{}, {}] });
  });

  test('anything else that is yielded is told as a mistake', async () => {
    const { run } = await tells(async function* () {
      yield 42;
    });
    expect(run).toMatchObject({ status: 'completed', errors: [{ code: 'invalid_event' }] });
  });
});

describe('never in the way: whatever an agent emits, it goes on', () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;

  test.each<[string, unknown, unknown, string]>([
    ['a malformed known event', 'tool.called', { toolCallId: 7 }, 'invalid_event'],
    ['a type that is none', 'Not A Type', {}, 'invalid_event'],
    ['no type at all', undefined, {}, 'invalid_event'],
    ['no data', 'custom', undefined, 'invalid_event'],
    ['a terminal event', 'run.completed', {}, 'reserved_type'],
    ['a command', 'control.requested', { command: 'cancel', commandId: 'c' }, 'reserved_type'],
    ['a frame of the stream', 'stream.bye', {}, 'reserved_type'],
  ])('%s is told as error.reported', async (_name, type, data, code) => {
    const { run } = await tells((run) => run.emit(type as 'custom', data as never));
    expect(run).toMatchObject({ status: 'completed', errors: [{ code }] });
  });

  test('values that are no JSON are described', async () => {
    const { run } = await tells(async (run) => {
      await run.tool('t', { big: 1n, circle }, () => new Map([['a', undefined]]), {});
      run.emit('custom', { name: 'n', value: () => 1, extra: undefined } as never);
      return new Error('as output');
    });
    expect(run).toMatchObject({
      status: 'completed',
      errors: [],
      tools: [{ args: { big: '1', circle: { self: '[circular]' } }, result: {} }],
      output: { name: 'Error', message: 'as output' },
    });
  });

  test('types of tomorrow pass', async () => {
    const { between } = await tells((run) => run.emit('vendor.thing' as 'custom', { a: 1 } as never));
    expect(between).toEqual([['vendor.thing', { a: 1 }]]);
  });
});
