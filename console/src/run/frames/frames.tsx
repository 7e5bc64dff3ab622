import './frames.css';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type ReactElement, useDeferredValue, useEffect, useRef, useState } from 'react';
import { visible } from 'telltale/react/parts';
import { count as number, plural } from '../../ui/format.ts';
import { useScene } from '../scene.ts';
import { useFollow } from './follow.ts';
import { FrameRow } from './frame-row.tsx';
import { type Frames as AllFrames, useFrames } from './use-frames.ts';

const ROW_PX = 24;
/** Elements higher than some 16 million pixels are cut by browsers: so many rows are shown at once. */
const MOST_ROWS = 500_000;
const GROUPS = ['run', 'plan', 'step', 'agent', 'llm', 'reasoning', 'message', 'tool', 'approval', 'control', 'error'];

/** Every event of a run as it stands in the log, however many: those in sight are asked for. */
export function Frames({ runId }: { readonly runId: string }): ReactElement {
  const [group, setGroup] = useState('');
  const [text, setText] = useState('');
  const [asked, setAsked] = useState('');
  const looked = useDeferredValue(text.trim().toLowerCase());
  const frames = useFrames(runId, { group: group === '' ? undefined : group, text: looked });
  const [jump, setJump] = useState<number>();
  return (
    <div className="frames">
      <search className="frames-tools">
        <select aria-label="Kind of events" value={group} onChange={({ target }) => setGroup(target.value)}>
          <option value="">All events</option>
          {GROUPS.map((it) => (
            <option key={it} value={it}>
              {it}.*
            </option>
          ))}
        </select>
        <input
          type="search"
          aria-label="Find in the events"
          placeholder="Find in the events"
          value={text}
          onChange={({ target }) => setText(target.value)}
        />
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (asked !== '') setJump(Number(asked));
          }}
        >
          <input
            inputMode="numeric"
            pattern="\d+"
            aria-label="Go to the event with this number"
            placeholder="Go to number"
            value={asked}
            onChange={({ target }) => setAsked(target.value)}
          />
        </form>
        {frames && <Found frames={frames} />}
      </search>
      {frames ? (
        <List key={`${group} ${looked}`} frames={frames} jump={jump} jumped={() => setJump(undefined)} />
      ) : (
        <p className="muted frames-none">Asking the server for the events…</p>
      )}
    </div>
  );
}

/** How much of the run was looked through, and what was found. */
function Found({ frames }: { readonly frames: AllFrames }): ReactElement | null {
  const { through, last, count, error, retry } = frames;
  return (
    <>
      <span role="status" className="muted">
        {through === undefined
          ? plural(count, 'number')
          : through < last
            ? `${number(count)} found, looked through ${number(through)} of ${number(last)}`
            : `${number(count)} found`}
      </span>
      {error && (
        <span role="alert">
          ✕ {visible(error.message)}{' '}
          <button type="button" onClick={retry}>
            Try again
          </button>
        </span>
      )}
    </>
  );
}

interface ListProps {
  readonly frames: AllFrames;
  readonly jump: number | undefined;
  readonly jumped: () => void;
}

function List({ frames, jump, jumped }: ListProps): ReactElement {
  const { pages, count, seqAt, rowOf, last } = frames;
  const { event, open } = useScene();
  const scroller = useRef<HTMLElement>(null);
  const [segment, setSegment] = useState<number>();
  const segments = Math.max(1, Math.ceil(count / MOST_ROWS));
  const from = Math.min(segment ?? segments - 1, segments - 1) * MOST_ROWS;
  const rows = Math.min(MOST_ROWS, count - from);
  const { isFollowing, setFollowing, letGo, handlers } = useFollow(event === undefined);
  const [seen, setSeen] = useState(count);
  if (isFollowing && seen !== count) setSeen(count);
  const virtual = useVirtualizer({
    count: rows,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
  });
  const items = virtual.getVirtualItems();
  const [first, end] = [items[0]?.index, items.at(-1)?.index];

  useEffect(() => {
    if (first !== undefined && end !== undefined) pages.want(seqAt(from + first), seqAt(from + end), last);
  });
  useEffect(() => {
    if (isFollowing && rows > 0) virtual.scrollToIndex(rows - 1, { align: 'end' });
  }, [isFollowing, rows, virtual]);

  const goTo = (row: number): void => {
    letGo();
    const to = Math.floor(row / MOST_ROWS);
    setSegment(to);
    virtual.scrollToIndex(row - to * MOST_ROWS, { align: 'center' });
  };
  const target = jump ?? (first === undefined ? undefined : event);
  const shown = useRef<number>(undefined);
  useEffect(() => {
    if (target === undefined || shown.current === target) return;
    shown.current = target;
    goTo(rowOf(target));
    if (jump !== undefined) {
      open(seqAt(rowOf(jump)));
      jumped();
    }
  });

  const press = (key: KeyboardEvent<HTMLElement>): void => {
    handlers.onKeyDown(key);
    const by = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[key.key];
    if (by === undefined || event === undefined) return;
    key.preventDefault();
    const row = Math.min(count - 1, Math.max(0, rowOf(event) + by));
    shown.current = seqAt(row);
    open(seqAt(row));
    virtual.scrollToIndex(row - from, { align: 'auto' });
  };

  if (count === 0) return <p className="muted frames-none">No event of this run is like that.</p>;
  return (
    <>
      {segments > 1 && (
        <select
          aria-label="Part of the events"
          value={from / MOST_ROWS}
          onChange={({ target }) => setSegment(Number(target.value))}
        >
          {Array.from({ length: segments }, (_, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a part is its number.
            <option key={i} value={i}>
              {number(seqAt(i * MOST_ROWS))} to {number(seqAt(Math.min(count, (i + 1) * MOST_ROWS) - 1))}
            </option>
          ))}
        </select>
      )}
      <section
        ref={scroller}
        className="frames-scroller"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached with the keyboard.
        tabIndex={0}
        aria-label="Events"
        {...handlers}
        onKeyDown={press}
      >
        {/* biome-ignore lint/a11y/useSemanticElements: rows stand at their places; a list's own layout would not. */}
        <div role="list" className="frames-list" style={{ height: virtual.getTotalSize() }}>
          {items.map(({ index, start }) => {
            const seq = seqAt(from + index);
            const row = from + index;
            return (
              // biome-ignore lint/a11y/useSemanticElements: as above.
              <div
                key={seq}
                role="listitem"
                aria-posinset={row + 1}
                aria-setsize={count}
                style={{ translate: `0 ${start}px` }}
              >
                <button
                  type="button"
                  className="frame"
                  tabIndex={-1}
                  aria-current={seq === event ? 'true' : undefined}
                  onClick={() => {
                    letGo();
                    shown.current = seq;
                    open(seq);
                  }}
                >
                  <FrameRow seq={seq} known={pages.get(seq)} before={row > 0 ? pages.get(seqAt(row - 1)) : undefined} />
                </button>
              </div>
            );
          })}
        </div>
      </section>
      {!isFollowing && count > seen && (
        <button type="button" className="frames-end" onClick={() => setFollowing(true)}>
          {number(count - seen)} new ↓
        </button>
      )}
    </>
  );
}
