import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Place, RunQueue } from './queue.ts';

const UNLIMITED = Number.POSITIVE_INFINITY;

/** A queue, and who is under way in it. */
function queueOf(concurrency: number, maxQueued = 1_000) {
  const queue = new RunQueue({ concurrency, maxQueued });
  const begun: string[] = [];
  const places = new Map<string, Place>();
  const enter = (name: string, agent: string, limit?: number, turnsIn?: string) => {
    const place = queue.enter(agent, limit, turnsIn);
    places.set(name, place);
    place.turn.then(() => begun.push(name));
    return place.position;
  };
  const leave = async (name: string) => {
    places.get(name)!.leave();
    await undefined;
  };
  return { queue, begun, enter, leave };
}

describe('the queue (P10)', () => {
  test('a place is taken at once where there is room, else in the order of coming', async () => {
    const { begun, enter, leave } = queueOf(2);
    expect(['a', 'b', 'c', 'd'].map((name) => enter(name, 'x'))).toEqual([undefined, undefined, 0, 1]);
    await leave('b');
    expect(begun).toEqual(['a', 'b', 'c']);
    await leave('a');
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
  });

  test('a busy agent holds up its own line alone, and gets no more of the total than its limit', async () => {
    const { begun, enter, leave } = queueOf(3);
    for (const name of ['a1', 'a2', 'a3']) enter(name, 'a', 1);
    expect(enter('b1', 'b')).toBeUndefined();
    expect(enter('c1', 'c')).toBeUndefined();
    expect(enter('b2', 'b'), 'nobody of those without a limit is before it').toBe(0);
    await leave('c1');
    expect(begun).toEqual(['a1', 'b1', 'c1', 'b2']);
    await leave('b1');
    expect(begun, 'room in all, none for a').toEqual(['a1', 'b1', 'c1', 'b2']);
    await leave('a1');
    expect(begun.at(-1)).toBe('a2');
  });

  test('who takes turns in a thread waits for those before it there, and holds up nobody else', async () => {
    const { begun, enter, leave } = queueOf(UNLIMITED);
    expect(enter('t1', 'x', undefined, 't')).toBeUndefined();
    expect(enter('t2', 'x', undefined, 't')).toBe(0);
    expect(enter('t3', 'x', undefined, 't')).toBe(1);
    expect(enter('u1', 'x', undefined, 'u')).toBeUndefined();
    expect(enter('v', 'x')).toBeUndefined();
    await leave('t2');
    await leave('u1');
    expect(begun).toEqual(['t1', 'u1', 'v']);
    await leave('t1');
    expect(begun).toEqual(['t1', 'u1', 'v', 't3']);
  });

  test('turns are taken within the limit of the agent, too', async () => {
    const { begun, enter, leave } = queueOf(UNLIMITED);
    for (const [name, thread] of [
      ['t1', 't'],
      ['t2', 't'],
      ['u1', 'u'],
      ['u2', 'u'],
    ] as const)
      enter(name, 'x', 1, thread);
    expect(begun).toEqual([]);
    for (const name of ['t1', 't2', 'u1', 'u2']) await leave(name);
    expect(begun).toEqual(['t1', 't2', 'u1', 'u2']);
  });

  test('of several lines with room, whoever came first is next', async () => {
    const { begun, enter, leave } = queueOf(1);
    enter('first', 'x');
    enter('a', 'a', 5);
    enter('b', 'b');
    enter('a2', 'a', 5);
    for (const name of ['first', 'a', 'b']) await leave(name);
    expect(begun).toEqual(['first', 'a', 'b', 'a2']);
  });

  test('who leaves the line makes room for one who was refused, and leaving again changes nothing', async () => {
    const { enter, leave } = queueOf(1, 2);
    for (const name of ['a', 'b', 'c']) enter(name, 'x');
    const refused = () => enter('d', 'x');
    expect(refused).toThrow(expect.objectContaining({ code: 'overloaded', particulars: { maxQueued: 2 } }));
    await leave('b');
    await leave('b');
    expect(enter('e', 'x')).toBe(1);
    expect(refused).toThrow('wait already');
  });

  test('nobody has to wait where nobody may', () => {
    const { enter } = queueOf(1, 0);
    expect(enter('a', 'x')).toBeUndefined();
    expect(() => enter('b', 'x')).toThrow('wait already');
  });

  test('whatever comes and goes: limits hold, lines keep their order, and room is never left while somebody could use it', async () => {
    const limits: Record<string, number | undefined> = { a: 1, b: 2, c: undefined, d: undefined };
    const step = fc.oneof(
      fc.record({ enter: fc.constantFrom('a', 'b', 'c', 'd') }),
      fc.record({ leave: fc.nat({ max: 30 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), async (steps, total) => {
        const queue = new RunQueue({ concurrency: total, maxQueued: 1_000 });
        const here: { agent: string; place: Place }[] = [];
        const underWay = (agent?: string) =>
          here.filter((it) => it.place.position === undefined && (agent === undefined || it.agent === agent)).length;
        for (const it of steps) {
          if ('enter' in it) here.push({ agent: it.enter, place: queue.enter(it.enter, limits[it.enter]) });
          else here.splice(it.leave % Math.max(1, here.length), 1)[0]?.place.leave();
          expect(underWay()).toBeLessThanOrEqual(total);
          for (const [line, limit = UNLIMITED] of [['a', 1] as const, ['b', 2] as const, ['', undefined] as const]) {
            const agents = line === '' ? ['c', 'd'] : [line];
            const mine = here.filter(({ agent }) => agents.includes(agent)).map(({ place }) => place.position);
            const busy = mine.filter((position) => position === undefined).length;
            expect(busy).toBeLessThanOrEqual(limit);
            // Those under way came first; the rest stand in the order in which they came.
            expect(mine).toEqual(mine.map((_, index) => (index < busy ? undefined : index - busy)));
            if (mine.length > busy) expect(busy === limit || underWay() === total).toBe(true);
          }
        }
      }),
    );
  });
});

describe('positions that are told (P10)', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  /** Lets one run after the other end, `everyMs`; all that was told, by run. */
  async function drain(count: number, everyMs: number): Promise<number[][]> {
    const queue = new RunQueue({ concurrency: 1, maxQueued: count });
    const first = queue.enter('x');
    const told: number[][] = [];
    const places = Array.from({ length: count }, (_, index) => {
      const place = queue.enter('x');
      told[index] = [];
      place.follow((position) => told[index]!.push(position));
      return place;
    });
    for (const place of [first, ...places]) {
      place.leave();
      await vi.advanceTimersByTimeAsync(everyMs);
    }
    return told;
  }

  test('near its turn a run is told every position, farther back when a quarter of those before it are gone', async () => {
    const told = await drain(30, 1_000);
    expect(told[0]).toEqual([]);
    expect(told[5]).toEqual([4, 3, 2, 1, 0]);
    expect(told[29]).toEqual([21, 15, 11, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  });

  test('however fast the line moves, a run is told once a second at most', async () => {
    const told = await drain(1_000, 10);
    expect(Math.max(...told.map((it) => it.length))).toBeLessThanOrEqual(11);
    for (const positions of told) expect(positions).toEqual([...new Set(positions)].sort((a, b) => b - a));
  });

  test.each([1, 10, 100, 1_000, 5_000])(
    'a line of 1,000 that moves every %i ms costs at most 30 events for each run that ends',
    async (everyMs) => {
      const told = await drain(1_000, everyMs);
      expect(told.flat().length / 1_000).toBeLessThanOrEqual(30);
    },
  );

  test('nobody is told anything when nobody moves', async () => {
    const queue = new RunQueue({ concurrency: 1, maxQueued: 10 });
    queue.enter('x');
    const listener = vi.fn();
    queue.enter('x').follow(listener);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(listener).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});
