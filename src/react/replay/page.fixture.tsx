/** A page that replays a run, as the tests of it drive it. */
import { type ReactNode, useRef } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { createClient } from '../../client/index.ts';
import { TelltaleProvider, useRun, useRunEvents, useThinking } from '../index.ts';
import { Answer, ApprovalCard, Commands, ConnectionStatus, Plan, Thinking, Timeline } from '../parts/index.ts';
import { changeLine, Replaying, type ReplayResult, useReplay } from './index.ts';

const client = createClient({ url: '/' });

interface Props {
  readonly runId: string;
  readonly at: number | undefined;
}

function Page({ runId, at }: Props): ReactNode {
  const replay = useReplay(runId, { at });
  const renders = useRef(0);
  page.replay = replay;
  const { seq, first, last, loaded, total, isLive, isComplete, isPlaying, error } = replay;
  return (
    <>
      <output id="place">
        {[seq, first, last, loaded, total, isLive && 'live', isComplete && 'whole', isPlaying && 'plays', error?.code]
          .filter((it) => it !== false && it !== undefined)
          .join(' ')}
      </output>
      <output id="renders">{++renders.current}</output>
      <output id="changes">
        {replay
          .changes()
          .map((it) => changeLine(it))
          .join('; ')}
      </output>
      <Replaying of={replay}>
        <Facts runId={runId} />
        <ConnectionStatus.Root runId={runId} />
        <Plan.Root runId={runId} />
        <Thinking.Root runId={runId} />
        <Answer.Root runId={runId} />
        <Commands.Root runId={runId} />
        <Questions runId={runId} />
        <Timeline.Root runId={runId}>
          <Timeline.Viewport style={{ height: 400 }} />
        </Timeline.Root>
      </Replaying>
    </>
  );
}

function Facts({ runId }: { readonly runId: string }): ReactNode {
  const { status, connection, lastSeq } = useRun(runId);
  const { events, hasOlder, loadOlder } = useRunEvents(runId);
  const { spans } = useThinking(runId);
  return (
    <button id="facts" type="button" onClick={() => loadOlder(100)}>
      {[status, connection, lastSeq, events[0]?.seq, events.at(-1)?.seq, hasOlder, spans.length].join(' ')}
    </button>
  );
}

function Questions({ runId }: { readonly runId: string }): ReactNode {
  const ids = useRun(runId, { select: ({ data }) => data?.approvals.map(({ id }) => id) });
  return ids?.map((id) => <ApprovalCard.Root key={id} runId={runId} approvalId={id} />);
}

let root: Root | undefined;

export const page = {
  replay: undefined as unknown as ReplayResult,
  mount(runId: string, at?: number): void {
    root ??= createRoot(document.body.appendChild(document.createElement('div')));
    root.render(
      <TelltaleProvider client={client}>
        <Page runId={runId} at={at} />
      </TelltaleProvider>,
    );
  },
  unmount(): void {
    root?.unmount();
    root = undefined;
  },
  /** Goes to each of these numbers, and gives the milliseconds from there to the painted frame. */
  async scrub(seqs: readonly number[]): Promise<number[]> {
    const { port1, port2 } = new MessageChannel();
    const times: number[] = [];
    for (const seq of seqs) {
      await new Promise(requestAnimationFrame);
      const start = performance.now();
      page.replay.seek(seq);
      await new Promise<void>((resolve) => {
        port1.onmessage = () => resolve();
        // What is posted in a frame comes after it is painted.
        requestAnimationFrame(() => port2.postMessage(0));
      });
      times.push(performance.now() - start);
    }
    port1.close();
    return times;
  },
};
