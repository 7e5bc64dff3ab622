/** What the measured page can do; driven by `browser.ts`. */
import { memo } from 'react';
import { createRoot } from 'react-dom/client';
import { createClient, type Run } from 'telltale/client';
import { TelltaleProvider, type TimelineRow, useRun, useTimeline } from 'telltale/react';
import { Timeline } from 'telltale/react/parts';
import { complete, ended, type Folded, fold } from './fold.ts';
import { watchFrames } from './frames.ts';

/** What a page shows a run with: hooks and a list of its own, or the part made for it. */
export type Shows = 'hooks' | 'Timeline';

/** Rows of the page's own list: the newest. */
const ROWS = 40;

/** The run that was opened, as a page that shows it holds it. */
let opened: Run;

export const page = {
  /** Folds a recorded stream, served at `path`, so many times. */
  async fold(path: string, times: number): Promise<Folded[]> {
    const response = await fetch(path);
    const bytes = new Uint8Array(await response.arrayBuffer());
    const found: Folded[] = [];
    for (let i = 0; i < times; i++) found.push(await fold(bytes));
    return found;
  },

  /** Opens a run that has ended, from the first request until its connection is closed. */
  async open(runId: string, merge: boolean): Promise<Folded> {
    // The client has no option for it, and needs none: who wants other frames says so in the address.
    const alone: typeof fetch = (input, init) => {
      const url = new URL(String(input));
      url.searchParams.set('coalesce', 'off');
      return fetch(url, init);
    };
    const client = createClient({ url: '/', ...(!merge && { fetch: alone }) });
    const run = client.run(runId);
    const start = performance.now();
    await ended(run);
    const ms = performance.now() - start;
    opened = run;
    return { events: complete(run).events, ms };
  },

  /** How many events are folded in what is still held of the opened run. */
  held: (): number => complete(opened).events,

  /** Shows a run, live. */
  show(runId: string, shows: Shows): void {
    const root = document.createElement('main');
    document.body.replaceChildren(root);
    createRoot(root).render(
      <TelltaleProvider url="/">
        <Progress runId={runId} />
        {shows === 'hooks' ? <Rows runId={runId} /> : <Part runId={runId} />}
      </TelltaleProvider>,
    );
  },

  watchFrames,
};

function Progress({ runId }: { runId: string }) {
  const { status, connection, lastSeq } = useRun(runId);
  return (
    <p>
      {status} · {connection} · event <output>{lastSeq}</output>
    </p>
  );
}

const Part = ({ runId }: { runId: string }) => (
  <Timeline.Root runId={runId}>
    <Timeline.Viewport style={{ height: 400 }} />
    <Timeline.ToEnd />
  </Timeline.Root>
);

function Rows({ runId }: { runId: string }) {
  const { rows, toggle } = useTimeline(runId);
  return (
    <ol>
      {rows.slice(-ROWS).map((row) => (
        <Row key={row.key} row={row} toggle={toggle} />
      ))}
    </ol>
  );
}

const Row = memo(({ row, toggle }: { row: TimelineRow; toggle: (row: TimelineRow) => void }) => (
  <li style={{ marginInlineStart: `${row.depth * 1.5}em` }}>
    <button type="button" aria-expanded={row.isOpen} onClick={() => toggle(row)}>
      {row.kind === 'agent' || row.kind === 'tool' ? row.item.name : row.kind}
    </button>
    {row.isOpen && (row.kind === 'thinking' || row.kind === 'message') && <p>{row.item.text}</p>}
  </li>
));
