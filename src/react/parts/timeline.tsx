'use client';

import {
  type CSSProperties,
  createContext,
  forwardRef,
  memo,
  type ReactElement,
  type ReactNode,
  useCallback,
  useEffect,
  useLayoutEffect as useLayoutEffectOfReact,
  useMemo,
  useReducer,
  useRef,
  useState,
} from 'react';
import type { TimelineRow } from '../timeline.ts';
import { type RunResult, useRun } from '../use-run.ts';
import { useTimeline } from '../use-timeline.ts';
import { element, type OfRun, type Own, type PartProps, useRoot } from './element.ts';
import { useRowFocus } from './row-focus.ts';
import { Scroller } from './scroller.ts';
import { Row } from './timeline-row.tsx';
import { useWords } from './words.ts';

export interface TimelineState {
  readonly rows: readonly TimelineRow[];
  readonly isRunning: boolean;
  /** The end is kept in sight. */
  readonly isFollowing: boolean;
  /** Rows that came since the reader let go of the end. */
  readonly unseen: number;
}

interface Shown {
  readonly state: TimelineState;
  readonly source: OfRun;
  readonly scroller: Scroller;
  readonly render: () => void;
  readonly toggle: (row: TimelineRow) => void;
}

const Lines = createContext<Shown | undefined>(undefined);

/** Servers warn of the other one. */
const useLayoutEffect = typeof document === 'undefined' ? useEffect : useLayoutEffectOfReact;

/**
 * All that a run did, however much: only what is seen is mounted. It follows the end until the reader scrolls, pages,
 * touches, selects or folds anything; scrolled down to the end, or with the End key, it follows again.
 *
 * @example
 * <Timeline.Root runId={runId}>
 *   <Timeline.Viewport style={{ height: 400 }} />
 *   <Timeline.ToEnd />
 * </Timeline.Root>
 */
export const Root = forwardRef<HTMLDivElement, PartProps<'div', TimelineState> & OfRun>(function Timeline(props, ref) {
  const { runId, from, initialSnapshot, ...given } = props;
  const source = useMemo(() => ({ runId, from, initialSnapshot }), [runId, from, initialSnapshot]);
  const { rows, toggle: flip } = useTimeline(runId, source);
  const isRunning = useRun(runId, { ...source, select: isGoingOn });
  const [, render] = useReducer((it: number) => it + 1, 0);
  const [scroller] = useState(() => new Scroller(render));
  const toggle = useCallback(
    (row: TimelineRow): void => {
      // What was opened is read: it does not run away.
      scroller.letGo();
      flip(row);
    },
    [scroller, flip],
  );
  const { isFollowing } = scroller;
  const unseen = isFollowing ? 0 : Math.max(0, rows.length - scroller.seen);
  const state: TimelineState = { rows, isRunning, isFollowing, unseen };
  const children = (
    <>
      <Viewport />
      <ToEnd />
    </>
  );
  const own = { slot: 'timeline', status: isRunning ? 'running' : 'completed', children };
  return (
    <Lines.Provider value={{ state, source, scroller, render, toggle }}>
      {element('div', own, given, state, ref as never)}
    </Lines.Provider>
  );
});

const isGoingOn = (run: RunResult): boolean => !run.isEnded && !run.isPending;

/** Shows one row in place of the part's own way. */
export type ShowRow = (row: TimelineRow, toggle: (row: TimelineRow) => void) => ReactNode;

/** What scrolls: give it a height. `row` shows a row; keep it the same function from render to render. */
export const Viewport = forwardRef<HTMLDivElement, PartProps<'div', TimelineState> & { readonly row?: ShowRow }>(
  function Viewport({ row: show, ...given }, ref) {
    const { state, source, scroller, render, toggle } = useRoot(Lines);
    const { labels, locale } = useWords();
    const list = useRef<HTMLDivElement>(null);
    const { rows, isRunning } = state;
    const { start, end, before, after } = scroller.mounted(rows);
    const { kept, handlers } = useRowFocus(rows, scroller, toggle, list);

    useLayoutEffect(() => {
      const element = list.current?.closest<HTMLElement>('[data-slot="timeline-viewport"]');
      return element ? scroller.attach(element, list.current as HTMLElement) : undefined;
    }, [scroller]);
    useLayoutEffect(() => {
      if (scroller.settle()) render();
      else scroller.scroll();
    });

    const item = (row: TimelineRow, index: number): ReactElement => (
      // biome-ignore lint/a11y/useSemanticElements: as below.
      // biome-ignore lint/a11y/useAriaPropsSupportedByRole: list items have levels (WAI-ARIA 1.2, 5.4).
      <div
        key={row.key}
        role="listitem"
        tabIndex={-1}
        aria-posinset={index + 1}
        aria-setsize={rows.length}
        aria-level={row.depth + 1}
        data-slot="timeline-row"
        data-kind={row.kind}
        data-index={index}
        data-state={row.isOpen ? 'open' : 'closed'}
        data-status={'status' in row.item ? row.item.status : 'failed'}
        data-agent={row.kind === 'agent' ? row.item.id : 'agentId' in row.item ? row.item.agentId : undefined}
        style={styleOf(row, index >= start && index < end ? undefined : scroller.layout.top(index))}
      >
        {show ? <Custom show={show} row={row} toggle={toggle} /> : <Plain source={source} row={row} toggle={toggle} />}
      </div>
    );
    // In the order of the list: React then never moves the row that has the focus, which would lose it.
    const children = (
      // biome-ignore lint/a11y/useSemanticElements: an <ol> whose numbers a style sheet hides is no list to VoiceOver.
      <div
        ref={list}
        role="list"
        aria-busy={isRunning}
        style={{ position: 'relative', paddingTop: before, paddingBottom: after }}
      >
        {indexes(start, end, kept).map((index) => item(rows[index] as TimelineRow, index))}
      </div>
    );
    const own: Own = {
      slot: 'timeline-viewport',
      status: isRunning ? 'running' : 'completed',
      role: 'region',
      tabIndex: 0,
      'aria-label': labels.timeline(locale),
      style: { overflowY: 'auto', overflowAnchor: 'none', position: 'relative' },
      ...handlers,
      children,
    };
    return element('div', own, given, state, ref as never);
  },
);

/** The rows in sight, and the one that is kept. */
function indexes(start: number, end: number, kept: number): number[] {
  const all = Array.from({ length: end - start }, (_, i) => start + i);
  if (kept >= 0 && kept < start) all.unshift(kept);
  else if (kept >= end) all.push(kept);
  return all;
}

const Plain = memo(Row);
const Custom = memo(({ show, row, toggle }: { show: ShowRow; row: TimelineRow; toggle: Shown['toggle'] }) =>
  show(row, toggle),
);

/** A row that has the focus stays when the list moves on without it: at its place, out of the flow. */
function styleOf({ depth }: TimelineRow, apart: number | undefined): CSSProperties {
  const style = { display: 'flow-root', '--tt-depth': depth } as CSSProperties;
  return apart === undefined ? style : { ...style, position: 'absolute', top: apart, insetInline: 0 };
}

/** Back to the end, and how much is new there. Nothing while the end is in sight. */
export const ToEnd = forwardRef<HTMLButtonElement, PartProps<'button', TimelineState>>(function ToEnd(given, ref) {
  const { state, scroller } = useRoot(Lines);
  const { labels, locale } = useWords();
  if (state.isFollowing) return null;
  const children = labels.toEnd(state.unseen, locale);
  const own = { slot: 'timeline-to-end', type: 'button' as const, onClick: () => scroller.toEnd(), children };
  return element('button', own, given, state, ref as never);
});
