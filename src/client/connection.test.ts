import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TelltaleError } from '../protocol/index.ts';
import { type ConnectionInput, step } from './connection.ts';
import { type ConnectionPhase, type ConnectionState, IDLE } from './connection-state.ts';

const unreachable = new TelltaleError('unreachable', 'away');
const broken = new TelltaleError('stream_broken', 'a hole');
const NOW = 1_000_000;
const cut = (error = unreachable, random = 0.5): ConnectionInput => ({ kind: 'cut', error, random, now: NOW });
const OPEN: ConnectionInput = { kind: 'open', online: true };
const OFFLINE: ConnectionInput = { kind: 'offline', random: 0.5, now: NOW };
const of = (kind: Exclude<ConnectionInput['kind'], 'cut' | 'open' | 'offline' | 'visible' | 'retry' | 'reset'>) =>
  ({ kind }) as ConnectionInput;
const LIVE = [OPEN, of('hello'), of('caught-up')];

const play = (inputs: readonly ConnectionInput[], maxAttempts?: number) => {
  let state = IDLE;
  const effects: unknown[] = [];
  for (const input of inputs) {
    const [next, effect] = step(state, input, maxAttempts);
    state = next;
    if (effect !== undefined) effects.push(effect);
  }
  return { state, effects };
};

describe('the connection machine', () => {
  test.each<[string, ConnectionInput[], ConnectionPhase, unknown[]]>([
    ['is idle until somebody watches', [], 'idle', []],
    ['connects when somebody does', [OPEN], 'connecting', ['connect']],
    ['connects once, however many do', [OPEN, OPEN], 'connecting', ['connect']],
    ['has history first', [OPEN, of('hello')], 'catching-up', ['connect']],
    ['is live after it', LIVE, 'live', ['connect']],
    ['waits when it was cut', [...LIVE, cut()], 'reconnecting', ['connect', { wait: 500 }]],
    ['comes back when it is time', [...LIVE, cut(), of('due')], 'reconnecting', ['connect', { wait: 500 }, 'connect']],
    [
      'comes back at once when the page is looked at',
      [...LIVE, cut(), { kind: 'visible', stale: false }],
      'reconnecting',
      ['connect', { wait: 500 }, 'connect'],
    ],
    [
      'does not begin anew when a live page is looked at',
      [...LIVE, { kind: 'visible', stale: false }],
      'live',
      ['connect'],
    ],
    [
      'begins anew when it slept through the heartbeats',
      [...LIVE, { kind: 'visible', stale: true }],
      'reconnecting',
      ['connect', 'connect'],
    ],
    [
      'catches up again after a cut',
      [...LIVE, cut(), of('due'), of('hello')],
      'catching-up',
      ['connect', { wait: 500 }, 'connect'],
    ],
    ['says offline, and tries all the same', [...LIVE, OFFLINE], 'offline', ['connect', { wait: 500 }]],
    [
      'stays offline while attempts fail',
      [...LIVE, OFFLINE, of('due'), cut()],
      'offline',
      ['connect', { wait: 500 }, 'connect', { wait: 500 }],
    ],
    [
      'is live over a network the browser denies',
      [...LIVE, OFFLINE, of('due'), of('hello'), of('caught-up')],
      'live',
      ['connect', { wait: 500 }, 'connect'],
    ],
    [
      'comes back at once with the network',
      [...LIVE, OFFLINE, of('online')],
      'reconnecting',
      ['connect', { wait: 500 }, 'connect'],
    ],
    ['has no connection while the page sleeps', [...LIVE, of('sleep')], 'reconnecting', ['connect', 'disconnect']],
    [
      'and does not come back before it wakes',
      [...LIVE, of('sleep'), of('online'), of('due'), { kind: 'visible', stale: true }],
      'reconnecting',
      ['connect', 'disconnect'],
    ],
    [
      'comes back when the page wakes',
      [...LIVE, of('sleep'), of('wake')],
      'reconnecting',
      ['connect', 'disconnect', 'connect'],
    ],
    ['takes no wake without a sleep for one: pages show when they load', [...LIVE, of('wake')], 'live', ['connect']],
    ['is closed at the end of the log', [...LIVE, of('ended')], 'closed', ['connect', 'disconnect']],
    [
      'stays closed',
      [...LIVE, of('ended'), of('online'), of('due'), cut(), of('wake')],
      'closed',
      ['connect', 'disconnect'],
    ],
    [
      'comes back from closed when it is asked',
      [...LIVE, of('ended'), of('reconnect')],
      'reconnecting',
      ['connect', 'disconnect', 'connect'],
    ],
    ['is idle when nobody watches', [...LIVE, of('close')], 'idle', ['connect', 'disconnect']],
    [
      'hears nothing while idle',
      [...LIVE, of('close'), of('due'), of('online'), of('reconnect'), cut()],
      'idle',
      ['connect', 'disconnect'],
    ],
  ])('%s', (_name, inputs, phase, effects) => {
    const it = play(inputs);
    expect([it.state.phase, it.effects]).toEqual([phase, effects]);
  });

  test.each<[string, TelltaleError, ConnectionInput[], ConnectionPhase]>([
    ['a server that is away is waited for', unreachable, [], 'reconnecting'],
    ['a refusal is final', new TelltaleError('run_not_found', 'none'), LIVE, 'closed'],
    ['a busy server is waited for', new TelltaleError('overloaded', 'busy'), LIVE, 'reconnecting'],
    ['a server that failed is waited for', new TelltaleError('internal', 'oops'), LIVE, 'reconnecting'],
    ['what never was a stream of ours will not become one', broken, [], 'closed'],
    ['a stream that was one, and broke, is asked again', broken, LIVE, 'reconnecting'],
  ])('%s', (_name, error, before, phase) => {
    expect(play([OPEN, ...before, cut(error)]).state).toMatchObject({ phase, error });
  });

  test('waits longer each time, at most 30 s, until there is progress; a heartbeat is some', () => {
    const waits = (inputs: ConnectionInput[]) =>
      play(inputs).effects.flatMap((it) => (typeof it === 'object' ? [(it as { wait: number }).wait] : []));
    const fail = [cut(unreachable, 1), of('due')];
    const fails = Array.from({ length: 8 }, () => fail).flat();
    expect(waits([OPEN, ...fails])).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    expect(waits([OPEN, ...fail, ...fail, of('hello'), ...fail])).toEqual([1000, 2000, 4000]);
    for (const kind of ['progress', 'heartbeat'] as const) {
      expect(waits([OPEN, ...fail, ...fail, of('hello'), of(kind), ...fail])).toEqual([1000, 2000, 1000]);
    }
  });

  test('the wait is anywhere below that, begins at the retry of the server, and is no shorter than it asks for', () => {
    const wait = (inputs: ConnectionInput[]) => (play([OPEN, ...inputs]).effects.at(-1) as { wait: number }).wait;
    expect(wait([cut(unreachable, 0)])).toBe(0);
    expect(wait([{ kind: 'retry', milliseconds: 40 }, cut(unreachable, 0.25)])).toBe(10);
    const later = new TelltaleError('overloaded', 'busy', { retryAfterMs: 7000 });
    expect(wait([cut(later, 0)])).toBe(7000);
    expect(wait([cut(new TelltaleError('overloaded', 'busy', { retryAfterMs: 1e15 }), 0)])).toBe(30_000);
    expect(play([OPEN, cut()]).state.retryAt).toBe(NOW + 500);
  });

  test('gives up after as many attempts as it may make, and begins to count anew when it is asked to come back', () => {
    const fail = [cut(), of('due')];
    expect(play([OPEN, ...fail, ...fail], 2).state.phase).toBe('connecting');
    const gaveUp = play([OPEN, ...fail, ...fail, ...fail], 2).state;
    expect(gaveUp).toMatchObject({ phase: 'closed', error: unreachable, retryAt: undefined });
    expect(step(gaveUp, of('reconnect'), 2)).toMatchObject([{ phase: 'connecting', attempt: 0 }, 'connect']);
  });

  test('a server that only ever breaks the protocol or resets is given up; one that tells something new is not', () => {
    const fault = [cut(broken), of('due'), of('hello')];
    const reset: ConnectionInput = { kind: 'reset', over: true };
    const times = (count: number, inputs: ConnectionInput[]) => Array.from({ length: count }, () => inputs).flat();
    expect(play([...LIVE, ...times(5, fault)]).state.phase).toBe('catching-up');
    expect(play([...LIVE, ...times(6, fault)]).state).toMatchObject({ phase: 'closed', error: broken });
    expect(play([...LIVE, ...times(5, [reset, of('hello')])]).state.phase).toBe('catching-up');
    expect(play([...LIVE, ...times(6, [reset, of('hello')])]).state).toMatchObject({
      phase: 'closed',
      error: { code: 'stream_broken' },
    });
    expect(play([...LIVE, ...times(50, [...fault, of('progress')])]).state.phase).toBe('catching-up');
  });

  const anyInput: fc.Arbitrary<ConnectionInput> = fc.oneof(
    fc
      .constantFrom(
        ...([
          'close',
          'reconnect',
          'hello',
          'caught-up',
          'heartbeat',
          'progress',
          'ended',
          'due',
          'online',
          'sleep',
          'wake',
        ] as const),
      )
      .map((kind) => ({ kind }) as ConnectionInput),
    fc.record({ kind: fc.constant('open' as const), online: fc.boolean() }),
    fc.record({ kind: fc.constant('visible' as const), stale: fc.boolean() }),
    fc.record({ kind: fc.constant('reset' as const), over: fc.boolean() }),
    fc.record({ kind: fc.constant('retry' as const), milliseconds: fc.integer() }),
    fc.record({
      kind: fc.constant('offline' as const),
      random: fc.double({ min: 0, max: 1, noNaN: true }),
      now: fc.nat(),
    }),
    fc.record({
      kind: fc.constant('cut' as const),
      error: fc.constantFrom(unreachable, broken, new TelltaleError('run_not_found', 'none')),
      random: fc.double({ min: 0, max: 1, noNaN: true }),
      now: fc.nat(),
    }),
  );

  test('whatever happens: a wait is bounded and known, no rest holds one, and an end needs a reason', () => {
    fc.assert(
      fc.property(fc.array(anyInput, { maxLength: 60 }), (inputs) => {
        let state: ConnectionState = IDLE;
        /** What a driver that does as it is told has: a connection, a timer, or neither. */
        let has: 'connection' | 'timer' | undefined;
        for (const input of inputs) {
          if (input.kind === 'due' && has !== 'timer') continue;
          if (
            ['hello', 'caught-up', 'heartbeat', 'progress', 'ended', 'cut', 'reset'].includes(input.kind) &&
            has !== 'connection'
          )
            continue;
          const [next, effect] = step(state, input);
          state = next;
          if (input.kind === 'cut' || input.kind === 'ended' || input.kind === 'due') has = undefined;
          if (effect !== undefined)
            has = effect === 'connect' ? 'connection' : effect === 'disconnect' ? undefined : 'timer';
          if (typeof effect === 'object') {
            expect(effect.wait).toBeGreaterThanOrEqual(0);
            expect(effect.wait).toBeLessThanOrEqual(30_000);
          }
          expect(state.retryAt !== undefined).toBe(has === 'timer');
          const rests = state.phase === 'idle' || state.phase === 'closed' || state.asleep;
          // Nobody is left behind: whoever watches has a connection, or will get one.
          expect(has === undefined).toBe(rests);
          if (state.phase === 'live' || state.phase === 'catching-up') expect(state.error).toBeUndefined();
          expect(state.faults).toBeLessThanOrEqual(6);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
