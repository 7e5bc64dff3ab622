import { describe, expect, test } from 'vitest';
import { Gate } from './gate.ts';
import { obey } from './obey.ts';
import type { Said } from './run-watch.ts';

function setUp() {
  const told: unknown[] = [];
  const abort = new AbortController();
  const gate = new Gate({ signal: abort.signal, tell: (type, data) => told.push([type, data]) });
  return { gate, told, abort };
}

const refused = (commandId: string) => [
  'control.refused',
  { commandId, error: { code: 'command_refused', message: expect.any(String) } },
];

describe('the gate of a run (P10)', () => {
  test('costs whoever passes nothing, not even a promise', () => {
    const { gate, told } = setUp();
    expect([gate.pass(), told]).toEqual([undefined, []]);
  });

  test('tells of a pause when the first is held, and lets them go on in the order in which they came', async () => {
    const { gate, told } = setUp();
    gate.pause({ commandId: 'p', by: 'ann', reason: 'lunch' });
    expect(told).toEqual([]);
    const went: number[] = [];
    const held = [1, 2, 3].map((n) => gate.pass()?.then(() => went.push(n)));
    expect(told).toEqual([['run.paused', { commandId: 'p', by: 'ann', reason: 'lunch' }]]);
    gate.resume({ commandId: 'r', by: 'bob', reason: 'back' });
    await Promise.all(held);
    expect([went, told.slice(1)]).toEqual([[1, 2, 3], [['run.resumed', { commandId: 'r', by: 'bob' }]]]);
    expect(gate.pass()).toBeUndefined();
  });

  test('refuses a pause that a resume overtook before anybody was held', () => {
    const { gate, told } = setUp();
    gate.pause({ commandId: 'p' });
    gate.resume({ commandId: 'r' });
    expect([gate.pass(), told]).toEqual([undefined, [refused('p'), ['run.resumed', { commandId: 'r' }]]]);
  });

  test('refuses a second pause, asked for or held, and a resume of what is not paused', () => {
    const { gate, told } = setUp();
    gate.resume({ commandId: 'r1' });
    gate.pause({ commandId: 'p1' });
    gate.pause({ commandId: 'p2' });
    void gate.pass();
    gate.pause({ commandId: 'p3' });
    expect(told).toEqual([refused('r1'), refused('p2'), ['run.paused', { commandId: 'p1' }], refused('p3')]);
  });

  test('whoever is held for a run above is given the reason when this one ends, and goes on no more', async () => {
    const above = setUp();
    const gate = new Gate({ signal: new AbortController().signal, above: above.gate, tell: () => {} });
    above.gate.pause({});
    const held = gate.pass();
    const ended = new Error('The run has ended.');
    gate.close(ended);
    await expect(held).rejects.toBe(ended);
    above.gate.resume({});
    await expect(held).rejects.toBe(ended);
  });

  test('has nobody to refuse to where Telltale itself paused the run', () => {
    const { gate, told } = setUp();
    gate.pause({ reason: 'The budget is used up.' });
    gate.resume({ commandId: 'r' });
    expect(told).toEqual([['run.resumed', { commandId: 'r' }]]);
  });

  test('gives those who are held the reason of an abort, and holds nobody afterwards', async () => {
    const { gate, told, abort } = setUp();
    gate.pause({ commandId: 'p' });
    const held = [gate.pass(), gate.pass()];
    abort.abort(new Error('cancelled'));
    for (const it of held) await expect(it).rejects.toThrow('cancelled');
    gate.pause({ commandId: 'late' });
    gate.resume({ commandId: 'later' });
    expect([gate.pass(), told.length]).toEqual([undefined, 1]);
  });
});

test('P10: a command of which the watch tells again, as after a log lost its end, is followed once', () => {
  const { gate, told } = setUp();
  const cancelled: string[] = [];
  const hear = obey({ gate, cancel: ({ commandId }) => cancelled.push(String(commandId)) });
  const say = (command: string, commandId: string) =>
    hear({ type: 'control.requested', data: { command, commandId } } as unknown as Said);
  for (const command of ['pause', 'resume', 'cancel']) say(command, command);
  for (const command of ['pause', 'resume', 'cancel']) say(command, command);
  expect([gate.pass(), told, cancelled]).toEqual([
    ...[undefined, [refused('pause'), ['run.resumed', { commandId: 'resume' }]], ['cancel']],
  ]);
});
