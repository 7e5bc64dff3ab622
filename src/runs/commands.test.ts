import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { openEmbedded } from '../log/embedded/index.ts';
import type { Log } from '../log/index.ts';
import { openMemory } from '../log/memory.ts';
import { encodeEvent, type RunWriter, type TelltaleEvent } from '../protocol/index.ts';
import { type Fault, faultyLog } from './faulty-log.fixture.ts';
import { Runs, type RunsOptions } from './index.ts';
import { eventsAtEnd, eventsOf, eventsWhen, fold, told } from './watching.fixture.ts';

const opened: Runs[] = [];
afterEach(async () => {
  for (const runs of opened.splice(0)) await runs.close();
});

function open(log: Log, options: RunsOptions = {}): Runs {
  const runs = new Runs(log, options);
  opened.push(runs);
  return runs;
}

/** The remote run `r`: nothing happens in it but what a test appends. */
async function remote(options: RunsOptions = {}, log: Log = openMemory()) {
  const runs = open(log, options);
  await runs.start({ agent: 'a', runId: 'r', mode: 'remote' });
  const append = (type: string, data: object = {}) => runs.remote.append('r', [{ type, data }]);
  return { log, runs, append, ask: (command: 'cancel' | 'pause' | 'resume') => runs.commands.ask('r', { command }) };
}

const types = (events: readonly TelltaleEvent[]) => events.map(({ type }) => type);
const overdue = (events: readonly TelltaleEvent[]) => events.some(({ type }) => type === 'control.overdue');
const code = (is: string) => expect.objectContaining({ code: is });

describe('P8: a command that would change nothing is answered with the status, and nothing is written', () => {
  test('pausing what is paused, resuming what runs, and anything about what has ended', async () => {
    const { log, ask, append } = await remote();
    expect(await ask('resume')).toEqual({ status: 'running' });
    await append('run.paused');
    expect(await ask('pause')).toEqual({ status: 'paused' });
    await append('run.completed');
    for (const command of ['cancel', 'pause', 'resume'] as const) {
      expect(await ask(command)).toEqual({ status: 'completed' });
    }
    expect(types(await eventsOf(log, 'r'))).toEqual(['run.started', 'run.paused', 'run.completed']);
  });

  test('but what was asked for before, and will change it, counts: a pause behind a resume is asked for', async () => {
    const { ask, append } = await remote();
    await append('run.paused');
    expect(await ask('resume')).toHaveProperty('commandId');
    expect(await ask('pause')).toMatchObject({ status: 'paused', commandId: expect.any(String) });
  });

  test('a run that waits for its turn can be cancelled; there is nothing to pause or resume', async () => {
    const { log, runs } = await remote();
    const queued = encodeEvent(
      { type: 'run.queued', data: { agent: 'a' } },
      { threadId: 'q', runId: 'q', time: new Date().toISOString() },
    );
    const opens = { agent: 'a', createdAt: new Date().toISOString() };
    await log.append('q', [queued], { runId: 'q', opens });
    for (const command of ['pause', 'resume'] as const) {
      await expect(runs.commands.ask('q', { command })).rejects.toEqual(code('command_refused'));
    }
    expect(await runs.commands.ask('q', { command: 'cancel' })).toMatchObject({ status: 'queued', seq: 2 });
  });

  test('a run that was deleted or never was is told as such', async () => {
    const { runs, append } = await remote();
    await append('run.completed');
    await runs.delete('r');
    await expect(runs.commands.ask('r', { command: 'pause' })).rejects.toEqual(code('run_deleted'));
    for (const runId of ['none', '../r', '']) {
      await expect(runs.commands.ask(runId, { command: 'pause' })).rejects.toEqual(code('run_not_found'));
    }
  });
});

describe('P8: under an Idempotency-Key', () => {
  const pause = { command: 'pause', by: 'ann', reason: 'lunch', idempotencyKey: 'k' } as const;

  test('a command is asked for once, however many ask at once over however many servers', async () => {
    const { log, runs } = await remote();
    const servers = [runs, open(log)];
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => servers[i % 2]!.commands.ask('r', pause)));
    expect(new Set(answers.map(({ commandId, seq }) => `${commandId} ${seq}`)).size).toBe(1);
    expect(answers.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    expect(types(await eventsOf(log, 'r'))).toEqual(['run.started', 'control.requested']);
  });

  test('another command, or another reason, is refused; another run is another command', async () => {
    const { runs } = await remote();
    const { commandId } = await runs.commands.ask('r', pause);
    for (const other of [{ command: 'cancel' }, { reason: 'dinner' }, { by: 'bob' }] as const) {
      const asked = runs.commands.ask('r', { ...pause, ...other });
      await expect(asked).rejects.toMatchObject({ code: 'idempotency_conflict', status: 422 });
    }
    await runs.start({ agent: 'a', runId: 'other', mode: 'remote' });
    const elsewhere = await runs.commands.ask('other', pause);
    expect([elsewhere.duplicate, elsewhere.commandId === commandId]).toEqual([undefined, false]);
  });

  test('the answer stays what it was when the command was followed, undone and the run has ended', async () => {
    const { log, runs, append } = await remote();
    const first = await runs.commands.ask('r', pause);
    const again = { ...first, duplicate: true };
    await append('run.paused', { commandId: first.commandId });
    expect(await runs.commands.ask('r', pause)).toEqual({ ...again, status: 'paused' });
    await append('run.resumed');
    expect(await runs.commands.ask('r', pause)).toEqual(again);
    await append('run.completed');
    expect(await runs.commands.ask('r', pause)).toEqual({ ...again, status: 'completed' });
    expect(fold(await eventsOf(log, 'r')).commands).toMatchObject([{ id: first.commandId, status: 'applied' }]);
    // A key that was never used has no first answer.
    expect(await runs.commands.ask('r', { ...pause, idempotencyKey: 'new' })).toEqual({ status: 'completed' });
  });

  test.each<Fault>(['refused', 'answer lost'])(
    'an append that is %s is a 503, and sending it again is safe',
    async (fault) => {
      let wrong: Fault = 'none';
      const { log, runs } = await remote(
        {},
        faultyLog(openMemory(), () => wrong),
      );
      wrong = fault;
      await expect(runs.commands.ask('r', pause)).rejects.toMatchObject({ status: 503, retryable: true });
      wrong = 'none';
      const { commandId } = await runs.commands.ask('r', pause);
      expect(fold(await eventsOf(log, 'r')).commands).toMatchObject([{ id: commandId, by: 'ann', reason: 'lunch' }]);
    },
  );

  test('the key holds when the store was opened anew', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'telltale-commands-'));
    const before = await openEmbedded({ dir });
    const first = await (await remote({}, before)).runs.commands.ask('r', pause);
    await before.close();
    const after = await openEmbedded({ dir });
    expect(await open(after).commands.ask('r', pause)).toEqual({ ...first, duplicate: true });
    await after.close();
    await rm(dir, { recursive: true });
  });
});

test('P8: however often a remote run is asked to pause, its producer is still told of the cancel before that', async () => {
  const { runs, append } = await remote();
  await runs.commands.ask('r', { command: 'cancel', by: 'ann' });
  for (let n = 0; n < 20; n++) await runs.commands.ask('r', { command: 'pause' });
  const { commands = [] } = await append('custom', { name: 'n', value: 1 });
  expect(commands.map(({ command }) => command)).toEqual(['cancel', ...Array(15).fill('pause')]);
});

describe('P10: a command that nothing follows in time', () => {
  test('is told as overdue, once, and may still be followed', async () => {
    const { log, runs, append, ask } = await remote({ commandTimeoutMs: 30 });
    // Another server that knows of it, too.
    const other = open(log, { commandTimeoutMs: 30 });
    const { commandId } = await ask('pause');
    await other.commands.recover();
    const events = await eventsWhen(log, 'r', overdue);
    expect(told(events.slice(-1))).toEqual([['control.overdue', { commandId }]]);
    expect(fold(events).commands).toMatchObject([{ status: 'overdue' }]);
    await append('run.paused', { commandId });
    // Whoever asks later is told of in time: by then the first had their chance to be told of again.
    const { commandId: later } = await ask('resume');
    await eventsWhen(log, 'r', (all) => fold(all).commands.some((it) => it.id === later && it.status === 'overdue'));
    const run = await runs.snapshot('r');
    expect(run.commands).toMatchObject([{ status: 'applied' }, { status: 'overdue' }]);
    expect(types(await eventsOf(log, 'r')).filter((it) => it === 'control.overdue')).toHaveLength(2);
  });

  test('in this process: a tool that takes long lets a pause wait, and then it is followed', async () => {
    const log = openMemory();
    const runs = open(log, { commandTimeoutMs: 20 });
    const slow = Promise.withResolvers<void>();
    runs.register('it', async (run: RunWriter) => {
      await run.tool('slow', {}, () => slow.promise);
      await run.checkpoint();
    });
    const { runId } = await runs.start({ agent: 'it' });
    await runs.commands.ask(runId, { command: 'pause' });
    await eventsWhen(log, runId, overdue);
    slow.resolve();
    await eventsWhen(log, runId, (events) => fold(events).status === 'paused');
    await runs.commands.ask(runId, { command: 'resume' });
    expect(fold(await eventsAtEnd(log, runId))).toMatchObject({
      status: 'completed',
      commands: [{ status: 'applied' }, { status: 'applied' }],
    });
  });

  test('is told by the next process, where the one that took it is gone; what is in time is left alone', async () => {
    const log = openMemory();
    const first = await remote({ commandTimeoutMs: 60_000 }, log);
    await first.ask('pause');
    await first.runs.close();
    await open(log, { commandTimeoutMs: 60_000 }).recover();
    expect(overdue(await eventsOf(log, 'r'))).toBe(false);
    await open(log, { commandTimeoutMs: 1 }).recover();
    expect(fold(await eventsWhen(log, 'r', overdue)).commands).toMatchObject([{ status: 'overdue' }]);
  });

  test('is told although the log was away: when it was asked for, and when it was to be told', async () => {
    const inner = openMemory();
    let wrong: readonly Fault[] = [];
    let appends = 0;
    const { runs } = await remote(
      { commandTimeoutMs: 10 },
      faultyLog(inner, () => wrong[appends++] ?? 'none'),
    );
    [wrong, appends] = [['answer lost', 'refused'], 0];
    await expect(runs.commands.ask('r', { command: 'pause' })).rejects.toEqual(code('log_unavailable'));
    expect(types(await eventsWhen(inner, 'r', overdue))).toEqual([
      'run.started',
      'control.requested',
      'control.overdue',
    ]);
  });
});
