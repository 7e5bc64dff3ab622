import { createElement, type ReactNode } from 'react';
import { renderToString } from 'react-dom/server';
import { describe, expect, test, vi } from 'vitest';
import { createClient } from '../client/index.ts';
import { emptySnapshot } from '../protocol/index.ts';
import {
  TelltaleProvider,
  useConnection,
  useRun,
  useRunEvents,
  useRuns,
  useStartRun,
  useSuspenseRun,
  useThinking,
  useThread,
  useTimeline,
} from './index.ts';
import { throttled } from './readable.ts';
import { isShallowEqual } from './use-view.ts';

/** What a server renders of a component below a provider. */
const render = (component: () => ReactNode): string =>
  renderToString(createElement(TelltaleProvider, { url: '/' }, createElement(component)));

describe('on a server', () => {
  test('every hook renders what is known, which is nothing, and connects to nothing', () => {
    const fetched = vi.spyOn(globalThis, 'fetch');
    const shown = render(() => {
      const run = useRun('r');
      const none = useRun(undefined, { select: ({ isPending }) => isPending });
      const { events, hasOlder } = useRunEvents('r');
      const { rows } = useTimeline('r');
      const { isThinking } = useThinking('r', 'i1');
      const { connection } = useConnection('r');
      const runs = useRuns();
      const thread = useThread('t');
      const { isPending } = useStartRun();
      const facts = { none, events, hasOlder, rows, isThinking, connection, isPending };
      return JSON.stringify([run.status, run.isPending, run.isEnded, run.isStale, runs.data, thread.data, facts]);
    });
    expect(JSON.parse(shown.replaceAll('&quot;', '"'))).toEqual([
      ...['pending', true, false, false, null, null],
      { none: true, events: [], hasOlder: false, rows: [], isThinking: false, connection: 'idle', isPending: false },
    ]);
    expect(fetched).not.toHaveBeenCalled();
    fetched.mockRestore();
  });

  test('Suspense needs the snapshot that the page is to begin with', () => {
    const snapshot = { ...emptySnapshot('r'), seq: 7, epoch: 'e' };
    expect(render(() => useSuspenseRun('r', { initialSnapshot: snapshot }).data.seq)).toBe('7');
    expect(() => render(() => useSuspenseRun('r').status)).toThrow('initialSnapshot');
  });

  test('hooks without a provider say what to do', () => {
    const Shown = (): ReactNode => useRun('r').status;
    expect(() => renderToString(createElement(Shown))).toThrow('Put a <TelltaleProvider> around');
  });

  test('a client may be made outside', () => {
    const client = createClient({ url: 'http://127.0.0.1:1' });
    const Shown = (): ReactNode => useRun('r', { select: (run) => run.connection });
    expect(renderToString(createElement(TelltaleProvider, { client }, createElement(Shown)))).toBe('idle');
  });
});

test.each([
  [1, 1, true],
  [Number.NaN, Number.NaN, true],
  [{ a: 1 }, { a: 1 }, true],
  [[1, 2], [1, 2], true],
  [{ a: 1 }, { a: 2 }, false],
  [{ a: 1 }, { b: 1 }, false],
  [{ a: undefined }, { b: undefined }, false],
  [{ a: {} }, { a: {} }, false],
  [[1], [1, 2], false],
  [{}, null, false],
  [null, undefined, false],
])('%j and %j show the same: %s', (a, b, same) => {
  expect(isShallowEqual(a, b)).toBe(same);
});

test('a throttled store shows the first at once, the last in the end, and keeps no timer when it is left', () => {
  vi.useFakeTimers();
  let view = 0;
  const listeners = new Set<() => void>();
  const tell = (next: number): void => {
    view = next;
    for (const listener of listeners) listener();
  };
  const store = throttled(
    {
      subscribe(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      getSnapshot: () => view,
      getServerSnapshot: () => 0,
    },
    100,
  );
  const shown: number[] = [];
  const leave = store.subscribe(() => shown.push(store.getSnapshot()));
  for (const next of [1, 2, 3]) tell(next);
  expect([shown, store.getSnapshot()]).toEqual([[1], 1]);
  vi.advanceTimersByTime(100);
  expect(shown).toEqual([1, 3]);
  vi.advanceTimersByTime(100);
  tell(4);
  expect(shown).toEqual([1, 3, 4]);
  leave();
  expect([vi.getTimerCount(), listeners.size]).toEqual([0, 0]);
  vi.useRealTimers();
});
