/** What holds for a store whatever is done with it. */
import assert from 'node:assert/strict';
import type * as FastCheck from 'fast-check';
import type { Ack, Log } from '../log/index.ts';
import { TelltaleError, writeEventFrame } from '../protocol/index.ts';
import { encode, key, notes, open, opening, readAll, refuses, run, there } from './log/kit.ts';
import { type Expected, Model, type ModelAppend } from './log/model.ts';
import { type LogHarness, withStore } from './log.cases.ts';

/**
 * Registers the properties with your runner. fast-check is handed in, so that nobody needs it who does not use this;
 * its types are those of fast-check 4. `rounds` is how many random histories each property tries.
 *
 * @example
 * import * as fc from 'fast-check';
 * logProperties({ test: it, skip, place }, fc, { rounds: 50 });
 */
export function logProperties(harness: LogHarness, fc: typeof FastCheck, { rounds = 100 } = {}): void {
  const durable = harness.forgets === undefined;

  const followed = `any history of appends, repeats, trims, erasures and reads${durable ? ', reopens and crashes' : ''} is as in the model`;
  harness.test(followed, async () => {
    const step = steps(fc, durable);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }), async (history) => {
        await withStore(harness, (log, again) => follow(history, new Model(), log, again));
      }),
      { numRuns: rounds },
    );
  });

  const crashing =
    'whatever moment it crashes at: acknowledged once is there once, and repeating the rest completes it';
  if (harness.forgets !== undefined) {
    harness.skip(crashing, harness.forgets);
    return;
  }
  harness.test(crashing, async () => {
    const burst = fc.array(fc.record({ run: fc.nat(3), events: fc.integer({ min: 1, max: 5 }) }), {
      maxLength: 30,
      size: 'max',
    });
    const round = fc.record({ burst, acked: fc.nat(30) });
    await fc.assert(
      fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 4 }), async (crashes) => {
        await withStore(harness, (log, again) => crashAndRepeat(crashes, log, again.crash));
      }),
      { numRuns: Math.ceil(rounds / 2) },
    );
  });
}

type Step =
  | {
      do: 'append';
      run: number;
      thread: number;
      events: number;
      opens: boolean;
      closes: boolean;
      once?: number | undefined;
      producer?: { id: number; epoch: number; jump: number } | undefined;
    }
  | { do: 'repeat'; which: number; changed: boolean }
  | { do: 'trim'; thread: number; part: number }
  | { do: 'read'; thread: number; part: number }
  | { do: 'erase'; run: number }
  | { do: 'reopen' }
  | { do: 'crash' };

function steps(fc: typeof FastCheck, durable: boolean): FastCheck.Arbitrary<Step> {
  const rarely = fc.nat(9).map((n) => n === 0);
  const part = fc.double({ min: 0, max: 1.2, noNaN: true });
  // Mostly the next number, sometimes one that is not.
  const producer = fc.record({ id: fc.nat(1), epoch: fc.nat(2), jump: fc.constantFrom(0, 0, 0, 0, 1, -1) });
  const append = fc.record({
    do: fc.constant('append' as const),
    run: fc.nat(4),
    thread: fc.nat(2),
    events: fc.integer({ min: 1, max: 70 }),
    opens: fc.nat(3).map((n) => n === 0),
    closes: rarely,
    once: fc.option(fc.nat(3), { nil: undefined, freq: 4 }),
    producer: fc.option(producer, { nil: undefined }),
  });
  const repeat = fc.record({ do: fc.constant('repeat' as const), which: fc.nat(50), changed: rarely });
  const look = fc.record({
    do: fc.constantFrom('trim' as const, 'read' as const, 'read' as const),
    thread: fc.nat(2),
    part,
  });
  const erase = fc.record({ do: fc.constant('erase' as const), run: fc.nat(4) });
  const again = fc.record({ do: fc.constantFrom('reopen' as const, 'crash' as const) });
  return fc.oneof(
    { weight: 6, arbitrary: append },
    { weight: 2, arbitrary: repeat },
    { weight: 2, arbitrary: look },
    { weight: 1, arbitrary: erase },
    { weight: durable ? 1 : 0, arbitrary: again },
  );
}

async function follow(
  history: readonly Step[],
  model: Model,
  first: Log,
  again: { reopen(): Promise<Log>; crash(): Promise<Log> },
): Promise<void> {
  let log = first;
  const sent: ModelAppend[] = [];
  const send = async (append: ModelAppend) => {
    const expected = model.append(append);
    assert.deepEqual(await outcome(log, append), expected);
  };
  for (const [index, step] of history.entries()) {
    if (step.do === 'reopen' || step.do === 'crash') log = await again[step.do]();
    else if (step.do === 'append') {
      const append = appendOf(step, index, model);
      if (append.producer) sent.push(append);
      await send(append);
    } else if (step.do === 'erase') {
      const runId = `r${step.run}`;
      const refusal = await log.retention.erase(runId).catch((error) => TelltaleError.from(error).code);
      assert.equal(refusal, model.erase(runId));
    } else if (step.do === 'repeat') {
      const append = sent[step.which % sent.length];
      if (append?.producer)
        await send(step.changed ? { ...append, producer: { ...append.producer, digest: 'changed' } } : append);
    } else {
      const threadId = `t${step.thread}`;
      const events = model.threads.get(threadId);
      if (!events) continue;
      const at = Math.floor(events.length * step.part);
      if (step.do === 'trim') {
        await log.retention.trim(threadId, at);
        model.trim(threadId, at);
      }
      await compare(log, model, threadId, at, 1 + index * 500);
    }
  }
  for (const threadId of model.threads.keys()) await compare(log, model, threadId, 0);
  for (const [runId, { threadId, ended, erased, events }] of model.runs) {
    if (erased) {
      await refuses(log.runs.get(runId), 'run_deleted');
      continue;
    }
    const record = there(await log.runs.get(runId));
    assert.deepEqual([record.threadId, record.last !== undefined, record.events], [threadId, ended, events]);
  }
}

function appendOf(step: Step & { do: 'append' }, index: number, model: Model): ModelAppend {
  const runId = `r${step.run}`;
  const known = model.runs.get(runId);
  // A run mostly writes to its own thread.
  const of = run(runId, known && !step.opens ? known.threadId : `t${step.thread}`);
  const batch = notes(of, step.events, index * 1000);
  if (step.closes) batch.push(encode(of, 'run.completed'));
  const { id, epoch, jump } = step.producer ?? { id: 0, epoch: 0, jump: 0 };
  const [newest, seq] = known?.newest.get(`p${id}`) ?? [0, -1];
  const next = (newest === epoch ? seq + 1 : 0) + jump;
  return {
    of,
    batch,
    opens: step.opens || !known,
    closes: step.closes,
    ...(step.once !== undefined && { once: `k${step.once}` }),
    ...(step.producer && { producer: key(`p${id}`, epoch, Math.max(0, next), `step ${index}`) }),
  };
}

async function outcome(log: Log, { of, batch, opens, closes, producer, once }: ModelAppend): Promise<Expected> {
  try {
    const { epoch: _, ...numbers } = await log.append(of.threadId, batch, {
      runId: of.runId,
      ...(opens && { opens: opening() }),
      ...(closes && { closes }),
      ...(producer && { producer }),
      ...(once !== undefined && { once }),
    });
    return numbers;
  } catch (error) {
    return TelltaleError.from(error).code;
  }
}

/** What the thread holds after a position is, byte for byte, what the model has there. */
async function compare(log: Log, model: Model, threadId: string, after: number, bytes?: number): Promise<void> {
  const events = there(model.threads.get(threadId));
  const head = there(await log.head(threadId));
  assert.deepEqual([head.first, head.last], [model.first(threadId), events.length]);
  const read = await readAll(log, threadId, after, bytes);
  const from = Math.max(after + 1, head.first);
  assert.equal(read.length, events.slice(from - 1).filter((rest) => rest !== '').length);
  if (read.length === 0) return;
  const { blocks } = await log.read(threadId, after, Number.MAX_SAFE_INTEGER);
  const frames = Buffer.concat(blocks.map((block) => block.bytes)).toString();
  const expected = read.map(({ epoch, seq, type }) => writeEventFrame(epoch, seq, type, there(events[seq - 1])));
  assert.equal(frames, expected.join(''));
}

/** Sends bursts without waiting, crashes after some acks, sends everything again, and counts. */
async function crashAndRepeat(
  crashes: readonly { burst: readonly { run: number; events: number }[]; acked: number }[],
  first: Log,
  crash: () => Promise<Log>,
): Promise<void> {
  let log = first;
  const runs = Array.from({ length: 4 }, (_, i) => run(`r${i}`, `t${i % 2}`));
  for (const it of runs) await open(log, it);
  const sent: { send: (log: Log) => Promise<Ack>; events: number; threadId: string; ack?: Ack }[] = [];
  const next = new Map<string, number>();
  let crashing = false;
  for (const { burst, acked } of crashes) {
    const settled: Promise<unknown>[] = [];
    for (const { run: index, events } of burst) {
      const of = there(runs[index]);
      const seq = next.get(of.runId) ?? 0;
      next.set(of.runId, seq + 1);
      const batch = notes(of, events, seq * 10);
      const send = (to: Log) => to.append(of.threadId, batch, { runId: of.runId, producer: key('p', 0, seq) });
      const entry: (typeof sent)[number] = { send, events, threadId: of.threadId };
      sent.push(entry);
      const at = log;
      const answer = send(log).then(
        (ack) => {
          if (log === at && !crashing) entry.ack = ack;
        },
        () => {},
      );
      settled.push(answer);
    }
    if (acked < settled.length) await settled[acked];
    // What the dying store still answers, nobody hears.
    crashing = true;
    log = await crash();
    crashing = false;
    for (const entry of sent) {
      const ack = await entry.send(log);
      if (entry.ack) assert.deepEqual(ack, { ...entry.ack, duplicate: true });
      const { duplicate: _, ...numbers } = ack;
      entry.ack = numbers;
    }
  }
  for (const threadId of ['t0', 't1']) {
    const mine = sent.filter((it) => it.threadId === threadId);
    const events = await readAll(log, threadId);
    assert.equal(events.length, 2 + mine.reduce((sum, it) => sum + it.events, 0));
    for (const { runId } of runs.filter((it) => it.threadId === threadId)) {
      const said = events.filter((event) => event.runId === runId && event.type === 'custom');
      const numbers = said.map(({ data }) => Number(String((data as { value: unknown }).value).split(' ')[1]));
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
      );
      assert.equal(new Set(numbers).size, numbers.length);
    }
  }
}
