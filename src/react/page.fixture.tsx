/** A page under test: it mounts what a test names, and counts what React does. */
import { Component, memo, Profiler, type ReactNode, StrictMode, Suspense, useEffect, version } from 'react';
import { createRoot, hydrateRoot, type Root } from 'react-dom/client';
import { createClient } from '../client/index.ts';
import type { RunSnapshot } from '../protocol/index.ts';
import {
  TelltaleProvider,
  type TimelineRow,
  useApproval,
  useBudget,
  useConnection,
  useQueue,
  useRun,
  useRunCommands,
  useRunEvents,
  useRuns,
  useStartRun,
  useSuspenseRun,
  useThinking,
  useThread,
  useTimeline,
} from './index.ts';
import { Rendered } from './rendered.fixture.tsx';

const client = createClient({ url: '/' });
const counts: Record<string, number> = {};
const count = (what: string): void => {
  counts[what] = (counts[what] ?? 0) + 1;
};

interface Props {
  readonly runId: string;
}

function Status({ runId }: Props): ReactNode {
  return <output id="status">{useRun(runId, { select: (run) => run.status })}</output>;
}

function Whole({ runId }: Props): ReactNode {
  const { status, connection, error, lastSeq, data } = useRun(runId);
  return <output id="whole">{[status, connection, error?.code, lastSeq, data?.messages[0]?.text].join(' ')}</output>;
}

function Throttled({ runId }: Props): ReactNode {
  return <output id="throttled">{useRun(runId, { throttleMs: 200 }).lastSeq}</output>;
}

function Connection({ runId }: Props): ReactNode {
  return <output id="connection">{useConnection(runId).connection}</output>;
}

function Ten({ runId }: Props): ReactNode {
  return Array.from({ length: 10 }, (_, i) => <Whole key={String(i)} runId={runId} />);
}

function Waiting({ runId }: Props): ReactNode {
  return (
    <Suspense fallback={<Fallback />}>
      <Suspended runId={runId} />
    </Suspense>
  );
}

function Fallback(): ReactNode {
  count('fallback');
  return <output id="suspended">waiting</output>;
}

function Suspended({ runId }: Props): ReactNode {
  const { data, connection } = useSuspenseRun(runId);
  return (
    <output id="suspended">
      {data.status} {data.seq} {connection}
    </output>
  );
}

function Thinking({ runId }: Props): ReactNode {
  const { spans, isThinking, durationMs } = useThinking(runId);
  return <output id="thinking">{[spans.map((it) => it.text).join('|'), isThinking, durationMs].join(' ')}</output>;
}

const Row = memo(({ row }: { readonly row: TimelineRow }): ReactNode => {
  count(row.key);
  return (
    <li>
      {row.depth} {row.kind} {row.isOpen ? 'open' : 'closed'}
    </li>
  );
});

function Timeline({ runId }: Props): ReactNode {
  const { rows } = useTimeline(runId);
  return (
    <ol id="timeline">
      {rows.map((row) => (
        <Row key={row.key} row={row} />
      ))}
    </ol>
  );
}

function Events({ runId }: Props): ReactNode {
  const { events, hasOlder, loadOlder } = useRunEvents(runId);
  return (
    <button id="events" type="button" onClick={() => loadOlder(500)}>
      {[events[0]?.seq, events.at(-1)?.seq, events.length, hasOlder].join(' ')}
    </button>
  );
}

function List(): ReactNode {
  const { data } = useRuns({ status: 'running' });
  return <output id="list">{data ? data.map((run) => run.runId).join(' ') : 'pending'}</output>;
}

function Conversation({ runId }: Props): ReactNode {
  const { data } = useThread(runId);
  return <output id="thread">{data?.runs.map((run) => run.status).join(' ')}</output>;
}

function Start(): ReactNode {
  const { start, isPending, data, error } = useStartRun();
  return (
    <button id="start" type="button" onClick={() => start({ agent: 'a', mode: 'remote' })}>
      {[isPending, data?.runId, error?.code].join(' ')}
    </button>
  );
}

/** `a1` is the question that is asked. */
function Question({ runId }: Props): ReactNode {
  const { status, approval, options, approve, deny, answer, isPending, error, msLeft } = useApproval(runId, 'a1');
  const { decision, by, comment } = approval ?? {};
  const left = msLeft();
  return (
    <>
      <output id="approval">
        {[status, options.join('/'), isPending, decision, by, comment, error?.code, left && left > 0].join(' ')}
      </output>
      <button id="approve" type="button" onClick={approve as () => void} />
      <button id="deny" type="button" onClick={() => deny({ by: 'dana', comment: 'too much' })} />
      <button id="later" type="button" onClick={() => answer('later')} />
    </>
  );
}

function Commands({ runId }: Props): ReactNode {
  const all = useRunCommands(runId);
  return (
    <>
      {(['cancel', 'pause', 'resume'] as const).map((name) => {
        const { can, ask, isPending, isOverdue, error, last, appliedSeq } = all[name];
        const facts = [can && 'can', isPending && 'pending', isOverdue && 'overdue', error?.code];
        const log = last && [last.status, last.by, last.reason, appliedSeq];
        return (
          <button key={name} id={name} type="button" onClick={ask as () => void}>
            {[...facts, ...(log ?? [])].filter((it) => it !== false && it !== undefined).join(' ')}
          </button>
        );
      })}
    </>
  );
}

function Budget({ runId }: Props): ReactNode {
  const { limits, currency } = useBudget(runId);
  const isShort = useBudget(runId, { select: (it) => it.limits.some(({ status }) => status !== 'ok') });
  const text = limits.map(({ limit, used, max, share, status, warning, exceeded }) =>
    [limit, used, max, share, status, warning?.used, exceeded?.decision].join(' '),
  );
  return <output id="budget">{[currency, isShort, ...text].join('|')}</output>;
}

function Queue({ runId }: Props): ReactNode {
  const { data } = useQueue();
  const before = useQueue({ agent: 'a' }, { select: (queue) => queue.positionOf(runId) });
  return <output id="queue">{`${data?.map((it) => `${it.runId}:${it.position}`).join(' ')} ${before}`}</output>;
}

function Slices({ runId }: Props): ReactNode {
  const isThinking = useThinking(runId, undefined, { select: (it) => it.isThinking });
  const rows = useTimeline(runId, { select: (it) => it.rows.length });
  return <output id="slices">{`${isThinking} ${rows}`}</output>;
}

class Boundary extends Component<{ readonly children: ReactNode }, { readonly error?: Error }> {
  override state: { readonly error?: Error } = {};
  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }
  override render(): ReactNode {
    return this.state.error ? <output id="boundary">{String(this.state.error)}</output> : this.props.children;
  }
}

const SHOWN = {
  Status,
  Whole,
  Throttled,
  Connection,
  Ten,
  Waiting,
  Thinking,
  Timeline,
  Events,
  List,
  Conversation,
  Start,
  Question,
  Commands,
  Budget,
  Queue,
  Slices,
};
export type ShownName = keyof typeof SHOWN;

/** Counts when the effects of what stands before it have run: it is subscribed. */
function Mounted({ name }: { readonly name: ShownName }): ReactNode {
  useEffect(() => count(`mounted ${name}`), [name]);
  return null;
}

function element(name: ShownName, runId: string): ReactNode {
  const Shown = SHOWN[name];
  return (
    <TelltaleProvider client={client}>
      <Boundary>
        <Profiler id={name} onRender={() => count(name)}>
          <Shown runId={runId} />
          <Mounted name={name} />
        </Profiler>
      </Boundary>
    </TelltaleProvider>
  );
}

const roots: Root[] = [];

export const page = {
  version,
  counts,
  client,
  mount(names: readonly ShownName[], runId: string, strict = false): void {
    for (const name of names) {
      const root = createRoot(document.body.appendChild(document.createElement('div')));
      root.render(strict ? <StrictMode>{element(name, runId)}</StrictMode> : element(name, runId));
      roots.push(root);
    }
  },
  unmount(): void {
    for (const root of roots.splice(0)) root.unmount();
    document.body.replaceChildren();
  },
  /** Resolves with what React could not take over from the server. */
  hydrate(html: string, snapshot: RunSnapshot): string[] {
    const problems: string[] = [];
    const container = document.body.appendChild(document.createElement('div'));
    container.innerHTML = html;
    const onRecoverableError = (error: unknown): void => void problems.push(String(error));
    roots.push(hydrateRoot(container, <Rendered snapshot={snapshot} />, { onRecoverableError }));
    return problems;
  },
};
