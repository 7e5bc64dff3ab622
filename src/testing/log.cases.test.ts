import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Log } from '../log/index.ts';
import { openMemory } from '../log/memory.ts';
import { Block } from '../protocol/index.ts';
import { LOG_CASES, type LogHarness, logCases, logProperties, withStore } from './index.ts';

/** A store that does one thing wrong. */
type Mutant = (log: Log) => Partial<Log>;

const mutants: Record<string, Mutant> = {
  'forgets producer keys': (log) => ({
    append: (threadId, batch, { producer: _, ...options }) => log.append(threadId, batch, options),
  }),
  'does not compare digests': (log) => ({
    append: (threadId, batch, { producer, ...options }) =>
      log.append(threadId, batch, { ...options, ...(producer && { producer: { ...producer, digest: '' } }) }),
  }),
  'counts one producer for all': (log) => ({
    append: (threadId, batch, { producer, ...options }) =>
      log.append(threadId, batch, { ...options, ...(producer && { producer: { ...producer, id: 'p' } }) }),
  }),
  'lets everybody decide': (log) => ({
    append: (threadId, batch, { once: _, ...options }) => log.append(threadId, batch, options),
  }),
  'ignores fences': (log) => ({
    append: (threadId, batch, { fence: _, ...options }) => log.append(threadId, batch, options),
  }),
  'stores a later append first': (log) => {
    let turn = 0;
    return {
      append: async (...args) => {
        if (turn++ % 2) await null;
        return log.append(...args);
      },
    };
  },
  'stores half of a refused batch': (log) => ({
    append: async (threadId, batch, options) => {
      try {
        return await log.append(threadId, batch, options);
      } catch (error) {
        await log.append(threadId, batch.slice(0, 1), { runId: options.runId }).catch(() => {});
        throw error;
      }
    },
  }),
  'acknowledges one number too low': (log) => ({
    append: async (...args) => {
      const ack = await log.append(...args);
      return { ...ack, first: ack.first - 1 };
    },
  }),
  'skips an event at the end of a page': (log) => ({
    read: (threadId, after, bytes) => log.read(threadId, after > 100 ? after + 1 : after, bytes),
  }),
  'repeats an event at the start of a page': (log) => ({
    read: (threadId, after, bytes) => log.read(threadId, after > 100 ? after - 1 : after, bytes),
  }),
  'changes a byte': (log) => ({
    read: async (threadId, after, bytes) => {
      const { head, blocks } = await log.read(threadId, after, bytes);
      const changed = blocks.map(({ epoch, first, bytes, entries }) => {
        // A letter that every note has: one that only random epochs have is not there once in a hundred runs.
        const copy = Uint8Array.from(bytes, (byte) => (byte === 0x76 ? 0x77 : byte));
        return new Block(epoch, first, copy, entries);
      });
      return { head, blocks: changed };
    },
  }),
  'reads the whole log for every page': (log) => ({
    read: (threadId, after) => log.read(threadId, after, Number.MAX_SAFE_INTEGER),
  }),
  'invents threads': (log) => ({
    head: async (threadId) => (await log.head(threadId)) ?? { epoch: 'e', first: 1, last: 0, epochs: [] },
  }),
  'tells followers inside append': (log) => {
    const listeners = new Set<Parameters<Log['follow']>[1]>();
    return {
      append: (threadId, batch, options) => {
        const acked = log.append(threadId, batch, options);
        for (const listener of listeners) listener({ epoch: 'e', last: 1_000_000 });
        return acked;
      },
      follow: async (_, listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
  },
  'cannot stop telling': (log) => ({
    follow: async (threadId, listener) => {
      await log.follow(threadId, listener);
      return () => {};
    },
  }),
  'tells everybody of everything': (log) => ({ follow: (_, listener) => log.follow('r1', listener) }),
  'lists oldest first': (log) => ({
    runs: {
      ...log.runs,
      list: async (query) => {
        const { runs, ...more } = await log.runs.list(query);
        return { runs: runs.toReversed(), ...more };
      },
    },
  }),
  'filters after paging': (log) => ({
    runs: {
      ...log.runs,
      list: async ({ agent, ...query }) => {
        const { runs, ...more } = await log.runs.list(query);
        return { runs: runs.filter((run) => agent === undefined || run.agent === agent), ...more };
      },
    },
  }),
  'tells of runs inside append': (log) => {
    const listeners = new Set<Parameters<Log['runs']['follow']>[0]>();
    return {
      append: (threadId, batch, options) => {
        const acked = log.append(threadId, batch, options);
        for (const listener of listeners) listener({ runId: options.runId });
        return acked;
      },
      runs: {
        ...log.runs,
        follow: async (listener) => {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      },
    };
  },
  'cannot stop telling of runs': (log) => ({
    runs: {
      ...log.runs,
      follow: async (listener) => {
        await log.runs.follow(listener);
        return () => {};
      },
    },
  }),
  'keeps what was trimmed': (log) => ({ retention: { ...log.retention, trim: async () => {} } }),
  'keeps what was erased': (log) => ({ retention: { ...log.retention, erase: async () => {} } }),
  'gives an erased id out again': (log) => ({
    append: (threadId, batch, options) =>
      log.append(threadId, batch, options).catch((error) => {
        if (error.code !== 'run_deleted' || !options.opens) throw error;
        return { epoch: 'e', first: 1, last: 1 };
      }),
  }),
  'tells nobody of what was erased': (log) => ({
    follow: (threadId, listener) => log.follow(threadId, (wake) => wake.erased === undefined && listener(wake)),
  }),
  'trims the last event': (log) => ({
    head: async (threadId) => {
      const head = await log.head(threadId);
      return head && head.first === head.last && head.last > 1 ? { ...head, first: head.last + 1 } : head;
    },
  }),
  'hands out leases that are held': (log) => ({
    leases: { ...log.leases, takeExpired: async () => (await log.runs.list({ limit: 9 })).runs },
  }),
  'answers after it was closed': (log) => ({ close: async () => {}, head: (threadId) => log.head(threadId) }),
};

const mutated = (mutate: Mutant) => async () => {
  const log = openMemory();
  const own: Log = {
    durability: log.durability,
    runs: log.runs,
    leases: log.leases,
    retention: log.retention,
    append: (...args) => log.append(...args),
    read: (...args) => log.read(...args),
    follow: (...args) => log.follow(...args),
    head: (...args) => log.head(...args),
    close: () => log.close(),
  };
  return { open: async () => ({ ...own, ...mutate(log) }), crash: async () => {}, remove: async () => {} };
};

async function failures(place: LogHarness['place'], cases = LOG_CASES.filter(({ durable }) => !durable)) {
  const failed: string[] = [];
  for (const { name, run } of cases) await withStore({ place }, run).catch(() => failed.push(name));
  return failed;
}

/** One memory store behind every open. */
const living =
  (mutate: Mutant = () => ({})): LogHarness['place'] =>
  async () => {
    const place = await mutated(mutate)();
    const log = await place.open();
    return {
      open: async () => ({ ...log, close: async () => {} }),
      crash: async () => {},
      remove: () => log.close(),
    };
  };

/** Every open finds nothing. */
const empty = async () => ({ open: async () => openMemory(), crash: async () => {}, remove: async () => {} });

describe('the case suite', () => {
  it('finds nothing wrong with a store that is right', async () => {
    expect(await failures(mutated(() => ({})))).toEqual([]);
  });

  it.each(Object.entries(mutants))('finds the store that %s', async (_, mutate) => {
    expect(await failures(mutated(mutate))).not.toEqual([]);
  });

  const durable = LOG_CASES.filter(({ durable, name }) => durable && !name.includes('leases'));

  it('asks of a durable store only what a store that kept everything does', async () => {
    expect(await failures(living(), durable)).toEqual([]);
  });

  it('finds in every durable case the store that came back empty', async () => {
    expect(await failures(empty, durable)).toEqual(durable.map(({ name }) => name));
  });

  it('counts what a store does not run, with the reason', () => {
    const ran: string[] = [];
    const skipped: [string, string][] = [];
    const harness: LogHarness = {
      test: (name) => ran.push(name),
      skip: (name, why) => skipped.push([name, why]),
      place: () => assert.fail('nothing runs while cases are registered'),
      forgets: 'because',
    };
    logCases(harness);
    logProperties(harness, fc);
    expect(ran.length + skipped.length).toBe(LOG_CASES.length + 2);
    expect(new Set(skipped.map(([, why]) => why))).toEqual(new Set(['because']));
    expect(skipped.length).toBe(LOG_CASES.filter(({ durable }) => durable).length + 1);
    expect(new Set(LOG_CASES.map(({ name }) => name)).size).toBe(LOG_CASES.length);
  });
});

describe('the properties', () => {
  /** Runs both properties against one kind of store; gives what failed. */
  async function violations(place: LogHarness['place'], rounds: number): Promise<number> {
    const bodies: (() => Promise<void>)[] = [];
    logProperties({ test: (_, body) => bodies.push(body), skip: () => {}, place }, fc, { rounds });
    const outcomes = await Promise.allSettled(bodies.map((body) => body()));
    return outcomes.filter(({ status }) => status === 'rejected').length;
  }

  it('hold for a store that is right', async () => {
    expect(await violations(living(), 50)).toBe(0);
  });

  it('condemn a store that comes back empty', async () => {
    expect(await violations(empty, 50)).toBe(2);
  });

  it.each([
    'forgets producer keys',
    'does not compare digests',
    'lets everybody decide',
    'changes a byte',
    'keeps what was trimmed',
    'keeps what was erased',
    'acknowledges one number too low',
  ])('condemn the store that %s', async (name) => {
    expect(await violations(living(mutants[name]), 200)).toBeGreaterThan(0);
  });
});
