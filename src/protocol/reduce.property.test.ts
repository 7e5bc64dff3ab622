import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { TelltaleEvent } from './event.ts';
import { reduce, reduceAll } from './reduce.ts';
import { deepFreeze, optional, runs } from './runs.fixture.ts';
import { emptySnapshot, type RunSnapshot } from './snapshot.ts';

const EMPTY = deepFreeze(emptySnapshot('r'));
const full = (events: readonly TelltaleEvent[]): RunSnapshot => events.reduce(reduce, EMPTY);
const ROUNDS = { numRuns: 300 };

describe('P3: the fold, for any run', () => {
  it('changes nothing it is given: neither snapshots nor events', () => {
    fc.assert(
      fc.property(runs, (events) => {
        // Frozen to the bottom at every step: a write would throw.
        let snapshot = EMPTY;
        for (const event of events) snapshot = deepFreeze(reduce(snapshot, event));
        expect(snapshot).toEqual(full(events));
      }),
      ROUNDS,
    );
  });

  it('is the same in one change as event by event, and that one leaves its start alone', () => {
    fc.assert(
      fc.property(runs, fc.nat(60), (events, cut) => {
        const start = full(events.slice(0, cut));
        const kept = structuredClone(start);
        deepFreeze(start);
        const end = reduceAll(start, events.slice(cut));
        expect(end).toEqual(full(events));
        expect(start).toEqual(kept);
        // And what it gave is finished: a later change starts from copies.
        const copy = structuredClone(end);
        const more = { ...(events[0] as TelltaleEvent), seq: end.seq + 1, type: 'input.received', data: { input: 1 } };
        reduce(end, more as TelltaleEvent);
        reduceAll(end, [more as TelltaleEvent]);
        expect(end).toEqual(copy);
      }),
      ROUNDS,
    );
  });

  it('is the same over any number of resumes, however much each repeats', () => {
    const resumes = fc.array(fc.record({ from: fc.nat(60), to: fc.nat(62) }), { maxLength: 8 });
    fc.assert(
      fc.property(runs, resumes, (events, resumes) => {
        let snapshot = EMPTY;
        let seen = 0;
        for (const { from, to } of [...resumes, { from: 0, to: events.length }]) {
          // A resume goes back as far as it likes, never beyond what was seen.
          for (const event of events.slice(Math.min(from, seen), to)) snapshot = reduce(snapshot, event);
          seen = Math.max(seen, Math.min(to, events.length));
        }
        expect(snapshot).toEqual(full(events));
      }),
      ROUNDS,
    );
  });

  it('is a snapshot at any number, sent as JSON, and the rest', () => {
    fc.assert(
      fc.property(runs, fc.nat(60), (events, cut) => {
        const snapshot: RunSnapshot = JSON.parse(JSON.stringify(full(events.slice(0, cut))));
        expect(reduceAll(snapshot, events)).toEqual(full(events));
      }),
      ROUNDS,
    );
  });

  it('leaves nothing open behind a terminal event', () => {
    fc.assert(
      fc.property(runs, (events) => {
        const s = full(events);
        if (!['completed', 'failed', 'cancelled'].includes(s.status)) return;
        const spans = [s.steps, s.agents, s.reasoning, s.messages, s.tools, s.llmCalls].flat();
        expect(spans.filter(({ status }) => status === 'running')).toEqual([]);
        expect([...s.approvals, ...s.commands].filter(({ status }) => status === 'requested')).toEqual([]);
      }),
      ROUNDS,
    );
  });

  it('counts and numbers as the log does', () => {
    fc.assert(
      fc.property(runs, (events) => {
        const s = full(events);
        expect([s.events, s.seq]).toEqual([events.length, events.at(-1)?.seq]);
      }),
      ROUNDS,
    );
  });
});

describe('the fold of a long run', () => {
  const long = (n: number): TelltaleEvent[] =>
    Array.from({ length: n }, (_, i) => {
      const base = { seq: i + 1, epoch: 'e', threadId: 't', runId: 'r', time: '2026-11-20T18:00:00.000Z' };
      return { ...base, type: 'tool.started', data: { toolCallId: `${i}`, name: 'n' } } as TelltaleEvent;
    });

  /** How many elements are copied from list to list meanwhile. Not the time: this machine may be busy. */
  const copied = (fold: () => unknown): number => walked('slice', fold);
  /** How many elements an index is made of. */
  const indexed = (fold: () => unknown): number => walked('map', fold);

  function walked(method: 'slice' | 'map', fold: () => unknown): number {
    let elements = 0;
    const original = Array.prototype[method] as (...args: unknown[]) => unknown[];
    const spy = vi.spyOn(Array.prototype, method).mockImplementation(function (this: unknown[], ...args: unknown[]) {
      elements += this.length;
      return original.apply(this, args);
    });
    try {
      fold();
    } finally {
      spy.mockRestore();
    }
    return elements;
  }

  it('copies no list per event where many are folded in at once', () => {
    const events = long(5_000);
    expect(copied(() => reduceAll(EMPTY, events))).toBe(0);
    // One by one each keeps the snapshots before it whole, and pays for that.
    expect(copied(() => events.slice(0, 100).reduce(reduce, EMPTY))).toBeGreaterThan(4_000);
    const start = reduceAll(EMPTY, events);
    const more = events.map((event) => ({ ...event, seq: event.seq + 5_000, type: 'tool.completed' }) as TelltaleEvent);
    expect(copied(() => reduceAll(start, more))).toBe(5_000);
  });

  it('finds what stands far back in a long list', () => {
    const events = long(500);
    const ends = events.map((event) => ({ ...event, seq: event.seq + 500, type: 'tool.completed' }) as TelltaleEvent);
    const { tools } = reduceAll(EMPTY, [...events, ...ends]);
    expect(tools).toHaveLength(500);
    expect(tools.every(({ id, status, endSeq }) => status === 'completed' && endSeq === Number(id) + 501)).toBe(true);
  });

  it('knows where they are from change to change', () => {
    const events = long(5_000);
    const changes = Array.from({ length: 100 }, (_, i) => events.slice(i * 50, i * 50 + 50));
    expect(indexed(() => changes.reduce((snapshot, it) => reduceAll(snapshot, it), EMPTY))).toBeLessThan(50);
  });

  it('tells versions apart that went different ways', () => {
    const call = fc.record({
      type: fc.constantFrom('tool.started', 'tool.completed'),
      toolCallId: fc.nat(60).map(String),
      agent: optional(fc.constantFrom({ id: 'a', name: 'a', path: 'a' }, { id: '1', name: '1', path: '1' })),
    });
    /** What is folded in at once, onto any version that there is. */
    const change = fc.record({ onto: fc.nat(99), calls: fc.array(call, { minLength: 1, maxLength: 40, size: 'max' }) });
    type Call = typeof call extends fc.Arbitrary<infer T> ? T : never;
    const eventsOf = (seq: number, calls: readonly Call[]) =>
      calls.map(({ type, toolCallId, agent }, i) => {
        const [event] = long(1) as [TelltaleEvent];
        return { ...event, seq: seq + i + 1, type, data: { toolCallId, name: 'n' }, ...(agent && { agent }) };
      }) as TelltaleEvent[];
    fc.assert(
      fc.property(fc.array(change, { minLength: 2, maxLength: 12, size: 'max' }), (changes) => {
        const versions = [{ fast: EMPTY, plain: EMPTY }];
        for (const { onto, calls } of changes) {
          const { fast, plain } = versions[onto % versions.length]!;
          const events = eventsOf(plain.seq, calls);
          versions.push({ fast: reduceAll(fast, events), plain: events.reduce(reduce, plain) });
        }
        for (const { fast, plain } of versions) expect(fast).toEqual(plain);
      }),
      ROUNDS,
    );
  });

  it('copies no list per step of a plan', () => {
    const steps = Array.from({ length: 10_000 }, (_, i) => ({ id: `${i}`, name: 'n' }));
    const event = { ...long(1)[0], type: 'plan.created', data: { steps } } as TelltaleEvent;
    expect(copied(() => reduce(EMPTY, event))).toBe(0);
    expect(reduce(EMPTY, event).steps).toHaveLength(10_000);
  });
});
