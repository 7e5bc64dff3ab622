'use client';

import {
  createContext,
  type ReactElement,
  type ReactNode,
  type RefObject,
  useCallback,
  useEffect,
  useLayoutEffect as useLayoutEffectOfReact,
  useMemo,
  useReducer,
  useRef,
  useState,
} from 'react';
import { useRunStore } from '../run-source.ts';
import type { TimelineOptions, TimelineRow } from '../timeline.ts';
import { type RunResult, useRun } from '../use-run.ts';
import { loadStory } from '../use-story.ts';
import { useTimeline } from '../use-timeline.ts';
import { type OfRun, type Own, type PartProps, partOf, type RootShown, rootOf, type Shown } from './element.ts';
import { firstRows } from './first-rows.ts';
import { later, rendering } from './later.ts';
import type { Scroller } from './scroller.ts';
import type { Rows } from './timeline-rows.tsx';

export interface TimelineState {
  readonly rows: readonly TimelineRow[];
  /** That there are no rows says nothing: nothing is known of the run yet, or what shows it is still on its way. */
  readonly isPending: boolean;
  readonly isRunning: boolean;
  /** The end is kept in sight. */
  readonly isFollowing: boolean;
  /** Rows that came since the reader let go of the end. */
  readonly unseen: number;
}

interface LinesShown extends Shown<TimelineState> {
  readonly source: OfRun;
  readonly scroller: Scroller | null;
  /** There are no rows before it is here. */
  readonly Rows: typeof Rows | undefined;
  readonly render: () => void;
  readonly toggle: (row: TimelineRow) => void;
  /** The key of the row that was asked for. */
  readonly target: string | undefined;
  /** The reader is at the end, as far as is known before there is a scroller. */
  readonly isAtEnd: RefObject<boolean>;
}

const Lines = createContext<LinesShown | undefined>(undefined);

/** Loaded while the run is, and what makes rows of it at the same time. */
const useRows = rendering(async () => (await Promise.all([import('./timeline-rows.tsx'), loadStory()]))[0]);
/** Loaded while the run is. Until it is here the newest rows are shown, at the places that it gives them at first. */
const useScroller = later(() => import('./scroller.ts'));

/** Servers warn of the other one. */
const useLayoutEffect = typeof document === 'undefined' ? useEffect : useLayoutEffectOfReact;

export type RootProps = PartProps<'div', TimelineState> &
  OfRun &
  TimelineOptions & {
    /**
     * A row by its key, or the one that tells of the event with a number: it is brought into view as soon as it is there,
     * what it is in is opened, and the end is no longer followed. It has `data-target` as long as it is asked for.
     */
    readonly reveal?: string | number | undefined;
  };

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
export const Root = rootOf(Lines, 'div', 'timeline', (props: RootProps): RootShown<LinesShown> => {
  const { runId, from, initialSnapshot, show, step, group } = props;
  const source = useMemo(() => ({ runId, from, initialSnapshot }), [runId, from, initialSnapshot]);
  const Rows = useRows(useRunStore(runId, source).store)?.Rows;
  const timeline = useTimeline(runId, { ...source, show, step, group });
  const { toggle: flip, reveal } = timeline;
  const [rows, isPending] = Rows ? [timeline.rows, timeline.isPending] : [NONE, true];
  const isRunning = useRun(runId, { ...source, select: isGoingOn });
  const [, render] = useReducer((it: number) => it + 1, 0);
  const code = useScroller();
  const known = useRef<Scroller>(null);
  const isAtEnd = useRef(true);
  if (code) known.current ??= new code.Scroller(render, isAtEnd.current);
  const scroller = known.current;
  const toggle = useCallback(
    (row: TimelineRow): void => {
      // What was opened is read: it does not run away.
      isAtEnd.current = false;
      known.current?.letGo();
      flip(row);
    },
    [flip],
  );
  const [target, setTarget] = useState<{ readonly asked: unknown; readonly key: string }>();
  useEffect(() => {
    const { reveal: asked } = props;
    if (asked === undefined || target?.asked === asked || rows.length === 0) return;
    const key = reveal(asked);
    if (key === undefined) return;
    isAtEnd.current = false;
    setTarget({ asked, key });
  });
  useEffect(() => {
    if (target) scroller?.show(target.key);
  }, [target, scroller]);
  const isFollowing = scroller?.isFollowing ?? true;
  const unseen = scroller && !isFollowing ? Math.max(0, rows.length - scroller.seen) : 0;
  const children = (
    <>
      <Viewport />
      <ToEnd />
    </>
  );
  return {
    state: { rows, isPending, isRunning, isFollowing, unseen },
    own: { status: isRunning ? 'running' : 'completed', children },
    source,
    scroller,
    Rows,
    render,
    toggle,
    target: target?.asked === props.reveal ? target?.key : undefined,
    isAtEnd,
  };
});

const NONE: readonly TimelineRow[] = [];
const isGoingOn = (run: RunResult): boolean => !run.isEnded && !run.isPending;

/** Shows one row in place of the part's own way, `plain`, or around it. */
export type ShowRow = (row: TimelineRow, toggle: (row: TimelineRow) => void, plain: ReactElement) => ReactNode;

export type ViewportProps = PartProps<'div', TimelineState> & { readonly row?: ShowRow };

/** What scrolls: give it a height. `row` shows a row; keep it the same function from render to render. */
export const Viewport = partOf(
  Lines,
  'div',
  'timeline-viewport',
  ({ state, source, scroller, Rows, render, toggle, target, isAtEnd }, words, { row: show }: ViewportProps): Own => {
    const list = useRef<HTMLDivElement>(null);
    const end = useRef(0);
    const { rows, isPending, isRunning } = state;
    const { before, after, ...inSight } = scroller?.mounted(rows) ?? firstRows(rows.length);

    useLayoutEffect(() => {
      const element = viewportOf(list.current);
      return element ? scroller?.attach(element, list.current as HTMLElement) : undefined;
    }, [scroller]);
    useLayoutEffect(() => {
      if (!scroller) return follow(viewportOf(list.current));
      if (scroller.settle()) render();
      else scroller.scroll();
    });
    useEffect(() => scroller?.focus.settle(list.current));

    /** Keeps the end in sight until there is a scroller, or the reader goes up. */
    function follow(element: HTMLElement | null | undefined): void {
      if (!element) return;
      const { scrollTop, scrollHeight, clientHeight } = element;
      if (scrollTop < Math.min(end.current, scrollHeight - clientHeight) - 1) isAtEnd.current = false;
      if (!isAtEnd.current) return;
      element.scrollTop = scrollHeight;
      end.current = element.scrollTop;
    }

    const children = (
      // biome-ignore lint/a11y/useSemanticElements: an <ol> whose numbers a style sheet hides is no list to VoiceOver.
      <div
        ref={list}
        role="list"
        aria-busy={isRunning || isPending}
        style={{ position: 'relative', paddingTop: before, paddingBottom: after }}
      >
        {Rows && <Rows {...{ rows, ...inSight, scroller, target, show, source, toggle }} />}
      </div>
    );
    return {
      status: isRunning ? 'running' : 'completed',
      role: 'region',
      tabIndex: 0,
      'aria-label': words.timeline(),
      style: { overflowY: 'auto', overflowAnchor: 'none', position: 'relative' },
      ...scroller?.focus.handlers(rows, toggle),
      children,
    };
  },
);

const viewportOf = (list: HTMLElement | null) => list?.closest<HTMLElement>('[data-slot="timeline-viewport"]');

/** Back to the end, and how much is new there. Nothing while the end is in sight. */
export const ToEnd = partOf(Lines, 'button', 'timeline-to-end', ({ state, scroller }, words) =>
  state.isFollowing
    ? undefined
    : { type: 'button', onClick: () => scroller?.toEnd(), children: words.toEnd(state.unseen) },
);
