import { describe, expect, test, vi } from 'vitest';
import { openMemory } from '../log/memory.ts';
import { type RunWriter, TelltaleError } from '../protocol/index.ts';
import { faultyLog } from './faulty-log.fixture.ts';
import { Runs } from './index.ts';
import { keepLease } from './lease-keeper.ts';
import { eventsAtEnd, eventsOf, fold, told } from './watching.fixture.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const delta = (text: string) => ({ type: 'message.delta', data: { messageId: 'm', delta: text } });

function setUp(options = {}) {
  const log = openMemory();
  const runs = new Runs(log, options);
  runs.register('echo', (_run, input) => input, { description: 'Says it again', model: 'none' });
  return { log, runs };
}

describe('start', () => {
  test('run.started is durable when it resolves, with what was asked for', async () => {
    const { log, runs } = setUp();
    const started = await runs.start({
      agent: 'echo',
      input: [1],
      threadId: 'talk',
      metadata: { user: 'u' },
      owner: 'o',
    });
    expect(started).toMatchObject({ threadId: 'talk', status: 'running', ack: { first: 1, last: 1 } });
    expect(told((await eventsOf(log, 'talk')).slice(0, 1))).toEqual([
      ['run.started', { agent: 'echo', mode: 'local', input: [1], metadata: { user: 'u' } }],
    ]);
    expect(await log.runs.get(started.runId)).toMatchObject({ agent: 'echo', owner: 'o', leased: true });
  });

  test('a run that names no thread has its own', async () => {
    const { runId, threadId } = await setUp().runs.start({ agent: 'echo' });
    expect(threadId).toBe(runId);
  });

  test('an input too large to be stored whole reaches the agent whole', async () => {
    const { runs, log } = setUp();
    let length = 0;
    runs.register('measure', (_run, input: string) => {
      length = input.length;
    });
    const { runId } = await runs.start({ agent: 'measure', input: 'x'.repeat(400_000) });
    const run = fold(await eventsAtEnd(log, runId));
    expect([length, run.input]).toEqual([400_000, expect.objectContaining({ truncated: true, bytes: 400_002 })]);
  });

  test('what cannot be started is refused, and leaves nothing behind', async () => {
    const { runs, log } = setUp();
    await runs.start({ agent: 'echo', runId: 'taken' });
    await eventsAtEnd(log, 'taken');
    const before = (await eventsOf(log, 'taken')).length;
    await expect(runs.start({ agent: 'nobody', runId: 'a' })).rejects.toEqual(code('agent_not_found'));
    await expect(runs.start({ agent: 'echo', runId: 'a b' })).rejects.toEqual(code('invalid_request'));
    await expect(runs.start({ agent: 'echo', threadId: '' })).rejects.toEqual(code('invalid_request'));
    await expect(runs.start({ agent: 'echo', runId: 'taken' })).rejects.toEqual(code('run_exists'));
    const huge = { agent: 'x', runId: 'b', mode: 'remote' as const, input: 'x'.repeat(300_000) };
    await expect(runs.start(huge)).rejects.toEqual(code('event_too_large'));
    expect([await log.runs.get('a'), await log.runs.get('b')]).toEqual([undefined, undefined]);
    expect(await eventsOf(log, 'taken')).toHaveLength(before);
    await runs.close();
  });

  test.each(['log_unavailable', 'storage_full'] as const)(
    'a log that is away (%s) is told within seconds; a run that was opened all the same ends as log_unavailable',
    async (why) => {
      const log = openMemory();
      let away = true;
      const runs = new Runs(faultyLog(log, () => (away ? 'answer lost' : 'none'), why));
      const fn = vi.fn();
      runs.register('it', fn);
      await expect(runs.start({ agent: 'it', runId: 'r' })).rejects.toEqual(code(why));
      away = false;
      const run = fold(await eventsAtEnd(log, 'r'));
      expect(run).toMatchObject({ status: 'failed', error: { code: 'log_unavailable' }, events: 2 });
      expect(fn).not.toHaveBeenCalled();
    },
  );

  test('agents are listed with what is said about them; a name is taken once', () => {
    const { runs } = setUp();
    expect([...runs.agents.values()]).toMatchObject([{ name: 'echo', description: 'Says it again', model: 'none' }]);
    expect(() => runs.register('echo', () => {})).toThrow(code('invalid_option'));
    expect(() => runs.register('', () => {})).toThrow(code('invalid_option'));
  });
});

describe('P8: append', () => {
  async function remote(options = {}) {
    const { log, runs } = setUp(options);
    await runs.start({ agent: 'elsewhere', runId: 'r', mode: 'remote' });
    return { log, runs };
  }

  test('a remote run takes what its producer sends, until its terminal event', async () => {
    const { runs } = await remote();
    expect(await runs.remote.append('r', [delta('a'), delta('b')])).toMatchObject({ first: 2, last: 3 });
    await runs.remote.append('r', [delta('c'), { type: 'run.completed', data: { output: 1 } }]);
    expect(await runs.snapshot('r')).toMatchObject({
      status: 'completed',
      mode: 'remote',
      messages: [{ text: 'abc' }],
    });
    await expect(runs.remote.append('r', [delta('d')])).rejects.toEqual(code('run_closed'));
  });

  test.each<[string, unknown[], string]>([
    ['no events', [], 'invalid_request'],
    ['a malformed event among good ones', [delta('a'), { type: 'message.delta', data: {} }], 'invalid_event'],
    ['run.queued', [{ type: 'run.queued', data: { agent: 'a' } }], 'reserved_type'],
    ['run.started', [{ type: 'run.started', data: { agent: 'a' } }], 'reserved_type'],
    [
      'control.requested',
      [{ type: 'control.requested', data: { command: 'cancel', commandId: 'c' } }],
      'reserved_type',
    ],
    ['stream.*', [{ type: 'stream.bye', data: {} }], 'reserved_type'],
    ['events behind a terminal one', [{ type: 'run.completed', data: {} }, delta('a')], 'invalid_event'],
    [
      'two terminal ones',
      [
        { type: 'run.completed', data: {} },
        { type: 'run.completed', data: {} },
      ],
      'invalid_event',
    ],
    ['an event that is too large', [delta('x'.repeat(300_000))], 'event_too_large'],
    ['more events than a batch has', Array.from({ length: 1_001 }, () => delta('a')), 'batch_too_large'],
  ])('a batch is all or nothing: %s', async (_name, drafts, refusal) => {
    const { runs, log } = await remote();
    await expect(runs.remote.append('r', drafts)).rejects.toEqual(code(refusal));
    expect(await eventsOf(log, 'r')).toHaveLength(1);
  });

  test('a run that an executor here owns is not ended, paused or resumed from outside; other events may join', async () => {
    const { runs, log } = setUp();
    runs.register('waits', (run: RunWriter) => new Promise((resolve) => run.signal.addEventListener('abort', resolve)));
    await runs.start({ agent: 'waits', runId: 'r' });
    const error = { code: 'x', message: '' };
    for (const draft of [
      { type: 'run.completed', data: {} },
      { type: 'run.failed', data: { error } },
      { type: 'run.cancelled', data: {} },
      { type: 'run.paused', data: {} },
      { type: 'run.resumed', data: {} },
      { type: 'input.received', data: { input: 'hurry' } },
      { type: 'approval.resolved', data: { approvalId: 'a', decision: 'approve' } },
    ]) {
      await expect(runs.remote.append('r', [draft])).rejects.toEqual(code('reserved_type'));
    }
    await runs.remote.append('r', [{ type: 'status.updated', data: { status: 'hurrying' } }]);
    expect((await runs.snapshot('r')).statusText).toBe('hurrying');
    await runs.commands.ask('r', { command: 'cancel' });
    await eventsAtEnd(log, 'r');
  });

  test('repeating with the producer key is safe, in whatever order the members come', async () => {
    const { runs, log } = await remote();
    const producer = { id: 'p', epoch: 0, seq: 0 };
    const first = await runs.remote.append(
      'r',
      [{ type: 'custom', data: { name: 'n', value: { a: 1, b: [2] } } }],
      producer,
    );
    const again = await runs.remote.append(
      'r',
      [{ data: { value: { b: [2], a: 1 }, name: 'n' }, type: 'custom' }],
      producer,
    );
    expect(again).toEqual({ ...first, duplicate: true });
    const other = [{ type: 'custom', data: { name: 'n', value: { a: 1, b: [3] } } }];
    await expect(runs.remote.append('r', other, producer)).rejects.toEqual(code('producer_conflict'));
    expect(await eventsOf(log, 'r')).toHaveLength(2);
    const end = [{ type: 'run.completed', data: {} }];
    await runs.remote.append('r', end, { ...producer, seq: 1 });
    expect(await runs.remote.append('r', end, { ...producer, seq: 1 })).toMatchObject({ duplicate: true });
  });

  test('P9: a run that is nearly full is told once, a full one takes nothing but its end', async () => {
    const { runs, log } = await remote({ limits: { runEvents: 10 } });
    await Promise.all([1, 2, 3, 4].map(() => runs.remote.append('r', [delta('a')])));
    await Promise.all([1, 2, 3].map(() => runs.remote.append('r', [delta('b')])));
    const warnings = (await eventsOf(log, 'r')).filter((it) => it.type === 'error.reported');
    expect(warnings.map((it) => it.data.error)).toEqual([code('run_nearly_full')]);
    await runs.remote.append('r', [delta('c')]);
    await expect(runs.remote.append('r', [delta('d')])).rejects.toEqual(code('run_full'));
    await runs.remote.append('r', [{ type: 'run.completed', data: {} }]);
    expect((await runs.snapshot('r')).status).toBe('completed');
  });

  test('a run that is not there', async () => {
    const { runs } = setUp();
    await expect(runs.remote.append('none', [delta('a')])).rejects.toEqual(code('run_not_found'));
    await expect(runs.commands.ask('none', { command: 'cancel' })).rejects.toEqual(code('run_not_found'));
    await expect(runs.snapshot('none')).rejects.toEqual(code('run_not_found'));
  });

  test('a cancel on a remote run is left for its producer; on one that has ended it answers how', async () => {
    const { runs } = await remote();
    const { commandId } = await runs.commands.ask('r', { command: 'cancel', by: 'ann' });
    expect((await runs.snapshot('r')).commands).toMatchObject([{ id: commandId, status: 'requested', by: 'ann' }]);
    await runs.remote.append('r', [{ type: 'run.cancelled', data: { commandId } }]);
    expect(await runs.commands.ask('r', { command: 'cancel' })).toEqual({ status: 'cancelled' });
  });
});

describe('snapshot', () => {
  test('is the fold of that run alone, whatever else its thread holds, over any number of pages', async () => {
    const { runs, log } = setUp();
    for (const runId of ['a', 'b']) await runs.start({ agent: 'x', runId, threadId: 't', mode: 'remote' });
    const text = 'x'.repeat(10_000);
    for (let i = 0; i < 60; i++) await runs.remote.append(i % 2 ? 'a' : 'b', [delta(`${i}${text}`)]);
    await runs.remote.append('a', [{ type: 'run.completed', data: {} }]);
    await runs.remote.append('b', [delta('the last')]);
    const events = await eventsOf(log, 't');
    expect(await runs.snapshot('b')).toEqual(fold(events, 'b'));
    expect((await runs.snapshot('b')).events).toBe(32);
  });
});

describe('P10: close', () => {
  test('ends every run it executes as executor_lost, also of agents that do not listen, and starts nothing more', async () => {
    const { runs, log } = setUp({ graceMs: 20 });
    runs.register('listens', async (run: RunWriter) => {
      await new Promise((resolve) => run.signal.addEventListener('abort', resolve));
      await run.say('bye');
    });
    runs.register('deaf', () => new Promise(() => {}));
    await runs.start({ agent: 'listens', runId: 'a' });
    await runs.start({ agent: 'deaf', runId: 'b' });
    await runs.close();
    const error = { code: 'executor_lost', message: 'The server was stopped.', retryable: true };
    expect(fold(await eventsOf(log, 'a'))).toMatchObject({ status: 'failed', error, messages: [{ text: 'bye' }] });
    expect(fold(await eventsOf(log, 'b'))).toMatchObject({ status: 'failed', error });
    await expect(runs.start({ agent: 'echo' })).rejects.toEqual(code('overloaded'));
    await runs.close();
  });

  test('refuses a start that was on its way, and nothing of it is stored', async () => {
    const { runs, log } = setUp();
    const held = Promise.withResolvers<'known'>();
    const started = runs.start({ agent: 'echo', runId: 'late' }, () => held.promise);
    const remote = runs.start({ agent: 'echo', runId: 'far', mode: 'remote' }, () => held.promise);
    await runs.close();
    held.resolve('known');
    await expect(started).rejects.toEqual(code('overloaded'));
    await expect(remote).rejects.toEqual(code('overloaded'));
    expect((await log.runs.list({ limit: 10 })).runs).toEqual([]);
  });

  test('does not wait for a log that is gone', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const log = openMemory();
      const runs = new Runs(faultyLog(log, ({ opens }) => (opens ? 'none' : 'refused')));
      runs.register('it', (run: RunWriter) => run.say('x'));
      await runs.start({ agent: 'it', runId: 'r' });
      const closed = runs.close();
      await vi.advanceTimersByTimeAsync(5_000);
      await closed;
      expect(await eventsOf(log, 'r')).toHaveLength(1);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('P10: the lease of a run with nothing to say', () => {
  test('is renewed every 5 s, not when an append has done it; lost when it has passed on, not when the log is away', async () => {
    vi.useFakeTimers();
    try {
      const { runs, log } = setUp();
      await runs.start({ agent: 'x', runId: 'r', mode: 'remote' });
      let lastAckAt = performance.now();
      const renew = vi.spyOn(log.leases, 'renew').mockResolvedValue();
      const onLost = vi.fn();
      const stop = keepLease({ log, runId: 'r', fence: 1, lastAckAt: () => lastAckAt, onLost });
      await vi.advanceTimersByTimeAsync(15_000);
      expect(renew.mock.calls).toEqual([
        ['r', 1],
        ['r', 1],
        ['r', 1],
      ]);
      lastAckAt = performance.now() + 1;
      await vi.advanceTimersByTimeAsync(5_000);
      expect(renew).toHaveBeenCalledTimes(3);
      renew.mockRejectedValueOnce(new TelltaleError('log_unavailable', 'away'));
      await vi.advanceTimersByTimeAsync(5_000);
      expect(onLost).not.toHaveBeenCalled();
      renew.mockRestore();
      await vi.advanceTimersByTimeAsync(5_000);
      expect(onLost).toHaveBeenCalledTimes(1);
      stop();
    } finally {
      vi.useRealTimers();
    }
  });
});
