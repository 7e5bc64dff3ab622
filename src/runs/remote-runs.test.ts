import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { openMemory } from '../log/memory.ts';
import { Runs } from './index.ts';
import { eventsAtEnd, eventsOf } from './watching.fixture.ts';

const note = { type: 'custom', data: { name: 'n', value: 1 } };
let runs: Runs;
afterEach(() => runs.close());

function setUp() {
  const log = openMemory();
  runs = new Runs(log);
  return log;
}

test('P10: a remote run whose lease ran out ends as executor_lost; one without a lease never does', async () => {
  const log = setUp();
  await runs.recover();
  await runs.start({ agent: 'a', runId: 'leased', mode: 'remote', lease: 0.4 });
  await runs.start({ agent: 'a', runId: 'free', mode: 'remote' });
  // Each append renews it: twice its time passes, in steps of a quarter.
  for (let i = 0; i < 8; i++) {
    await sleep(100);
    await runs.remote.append('leased', [note]);
  }
  const events = await eventsAtEnd(log, 'leased');
  expect(events.map(({ type }) => type)).toEqual(['run.started', ...Array(8).fill('custom'), 'run.failed']);
  expect(events.at(-1)?.data).toMatchObject({ error: { code: 'executor_lost', retryable: true } });
  expect(await eventsOf(log, 'free')).toHaveLength(1);
  await expect(runs.remote.append('leased', [note])).rejects.toMatchObject({ code: 'run_closed' });
});

test('P8: every answer to an append carries what was asked for and not done yet', async () => {
  setUp();
  await runs.start({ agent: 'a', runId: 'r', mode: 'remote' });
  expect(await runs.remote.append('r', [note])).not.toHaveProperty('commands');
  const { commandId } = await runs.commands.ask('r', { command: 'cancel', reason: 'enough', by: 'me' });
  const commands = [{ command: 'cancel', commandId, reason: 'enough', by: 'me' }];
  expect(await runs.remote.append('r', [note])).toMatchObject({ commands });
  for await (const ack of runs.remote.appendLines('r', [{ number: 1, draft: note }]))
    expect(ack).toMatchObject({ commands });
  expect(await runs.remote.append('r', [{ type: 'run.cancelled', data: { commandId } }])).not.toHaveProperty(
    'commands',
  );
});

test('turns are for runs that are executed here', async () => {
  const start = new Runs(openMemory()).start({ agent: 'a', mode: 'remote', inTurn: true });
  await expect(start).rejects.toMatchObject({ code: 'invalid_request' });
});

test('a lease is for remote runs only', async () => {
  setUp();
  runs.register('local', () => {});
  await expect(runs.start({ agent: 'local', lease: 5 })).rejects.toMatchObject({ code: 'invalid_request' });
});
