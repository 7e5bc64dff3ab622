import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openMemory } from '../log/memory.ts';
import type { RunWriter } from '../protocol/index.ts';
import { type AgentFunction, Runs } from './index.ts';
import { eventsAtEnd, eventsOf, eventsWhen, fold } from './watching.fixture.ts';

const has = (type: string) => (events: readonly { readonly type: string }[]) => events.some((it) => it.type === type);

async function started(fn: AgentFunction) {
  const log = openMemory();
  const runs = new Runs(log);
  runs.register('it', fn);
  const { runId } = await runs.start({ agent: 'it' });
  return {
    log,
    runs,
    runId,
    ask: (command: 'cancel' | 'pause' | 'resume') => runs.commands.ask(runId, { command, by: 'ann' }),
  };
}

describe('P10: a paused run', () => {
  test('begins nothing new: a tool that is called meanwhile is told of when it begins, and keeps its number', async () => {
    const goOn = Promise.withResolvers<void>();
    const began: string[] = [];
    const tool = (run: RunWriter, name: string) => run.tool(name, {}, () => void began.push(name));
    const { log, runId, ask } = await started(async (run: RunWriter) => {
      await goOn.promise;
      const first = tool(run, 'one');
      const second = tool(run, 'two');
      run.custom('meanwhile', 1);
      await Promise.all([first, second]);
    });
    await ask('pause');
    // The command is in the log; the executor has it within this turn of the event loop.
    await nextTurn();
    goOn.resolve();
    await eventsWhen(log, runId, has('custom'));
    expect(began).toEqual([]);
    await ask('resume');
    const events = await eventsAtEnd(log, runId);
    expect(began).toEqual(['one', 'two']);
    expect(
      events.map(({ type, data }) => (data.toolCallId === undefined ? type : `${type} ${data.toolCallId}`)),
    ).toEqual([
      ...['run.started', 'control.requested', 'run.paused', 'custom', 'control.requested', 'run.resumed'],
      ...['tool.started tool-1', 'tool.called tool-1', 'tool.started tool-2', 'tool.called tool-2'],
      ...['tool.completed tool-1', 'tool.completed tool-2', 'run.completed'],
    ]);
    expect(fold(events).commands).toMatchObject([
      { command: 'pause', status: 'applied', by: 'ann' },
      { command: 'resume', status: 'applied', by: 'ann' },
    ]);
  });

  test('lets what is under way finish, and holds agents side by side each at its own next gate', async () => {
    const slow = Promise.withResolvers<void>();
    const { log, runId, ask } = await started((run: RunWriter) =>
      Promise.all([
        run.agent('walks', async (agent) => {
          for (;;) {
            await agent.checkpoint();
            if (run.signal.aborted) return;
          }
        }),
        run.agent('works', async (agent) => {
          await agent.tool('slow', {}, () => slow.promise);
          await agent.tool('next', {}, () => {});
        }),
      ]),
    );
    await eventsWhen(log, runId, has('tool.called'));
    await ask('pause');
    await eventsWhen(log, runId, has('run.paused'));
    slow.resolve();
    const paused = await eventsWhen(log, runId, has('tool.completed'));
    expect(fold(paused)).toMatchObject({ status: 'paused', tools: [{ name: 'slow', status: 'completed' }] });
    // Cancel gets through to whoever is held.
    await ask('cancel');
    const run = fold(await eventsAtEnd(log, runId));
    expect(run).toMatchObject({ status: 'cancelled', agents: [{ status: 'failed' }, { status: 'failed' }] });
    expect(run.tools).toHaveLength(1);
  });

  test('that ends by itself leaves nobody behind who is held', async () => {
    const left = Promise.withResolvers<unknown>();
    const goOn = Promise.withResolvers<void>();
    const { log, runId, ask } = await started(async (run: RunWriter) => {
      const floating = async () => {
        for (;;) await run.checkpoint();
      };
      floating().catch(left.resolve);
      await goOn.promise;
    });
    await ask('pause');
    await eventsWhen(log, runId, has('run.paused'));
    goOn.resolve();
    expect((await eventsAtEnd(log, runId)).at(-1)?.type).toBe('run.completed');
    expect(await left.promise).toMatchObject({ name: 'AbortError' });
  });

  test('that is cancelled does not end the process over a checkpoint that nobody waits for', async () => {
    const goOn = Promise.withResolvers<void>();
    const { log, runId, ask } = await started(async (run: RunWriter) => {
      const isAborted = new Promise((resolve) => run.signal.addEventListener('abort', resolve));
      const walks = async () => {
        for (;;) await run.checkpoint();
      };
      walks().catch(() => undefined);
      await goOn.promise;
      void run.checkpoint();
      await isAborted;
      void run.checkpoint();
    });
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown) => void unhandled.push(reason);
    process.on('unhandledRejection', onUnhandled);
    await ask('pause');
    await eventsWhen(log, runId, has('run.paused'));
    goOn.resolve();
    await nextTurn();
    await ask('cancel');
    await eventsAtEnd(log, runId);
    await nextTurn();
    process.off('unhandledRejection', onUnhandled);
    expect(unhandled).toEqual([]);
  });

  test('is told of as long as the log says so, whoever reads it', async () => {
    const { log, runId, ask } = await started(async (run: RunWriter) => {
      for (let i = 0; i < 1_000_000 && !run.signal.aborted; i++) await run.checkpoint();
    });
    for (const command of ['pause', 'resume', 'pause'] as const) {
      await ask(command);
      await eventsWhen(log, runId, (events) => fold(events).commands.at(-1)?.status === 'applied');
    }
    expect(fold(await eventsOf(log, runId)).status).toBe('paused');
    expect(await log.runs.get(runId)).toMatchObject({ status: 'paused' });
    await ask('cancel');
    expect((await eventsAtEnd(log, runId)).map(({ type }) => type).filter((it) => it.startsWith('run.'))).toEqual([
      ...['run.started', 'run.paused', 'run.resumed', 'run.paused', 'run.cancelled'],
    ]);
  });

  test('ends with the server that runs it, though its agent is held', async () => {
    const { log, runs, runId, ask } = await started(async (run: RunWriter) => {
      for (;;) await run.checkpoint();
    });
    await ask('pause');
    await eventsWhen(log, runId, has('run.paused'));
    await runs.close();
    expect(fold(await eventsOf(log, runId))).toMatchObject({ status: 'failed', error: { code: 'executor_lost' } });
  });
});
