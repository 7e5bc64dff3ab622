import { useQuery } from '@tanstack/react-query';
import { type ReactElement, useState } from 'react';
import { formatCursor, type TelltaleEvent } from 'telltale/protocol';
import { useRun, useTelltale } from 'telltale/react';
import { visible } from 'telltale/react/parts';
import { serverUrl } from '../session/client.ts';
import { Copy } from '../ui/copy.tsx';
import { absolute } from '../ui/format.ts';
import { JsonTree } from '../ui/json-tree.tsx';
import { useLook } from './look.ts';

/** An event of a run as the server has it: the newest are not the only ones that can be looked at. */
export function useEvent(runId: string, seq: number | undefined) {
  const client = useTelltale();
  const { epoch, isThere } = useRun(runId, {
    select: ({ data, latest }) => ({ epoch: data?.epoch, isThere: seq !== undefined && seq <= latest }),
  });
  return useQuery({
    queryKey: ['event', runId, epoch, seq],
    enabled: epoch !== undefined && isThere,
    // The log never changes.
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async (): Promise<TelltaleEvent | null> => {
      const { events } = await client.events(runId, {
        after: formatCursor(epoch as string, (seq as number) - 1),
        limit: 1,
      });
      // The number may be one of another run of the thread.
      return events.find((it) => it.seq === seq) ?? null;
    },
  });
}

interface OfEvent {
  readonly runId: string;
  readonly seq: number;
}

/** The event itself, asked for when somebody wants to see it. */
export function RawEvent({ runId, seq, isAlone }: OfEvent & { readonly isAlone: boolean }): ReactElement {
  // Among events it is what was chosen, and so it is where it is about nothing else; in the story it stands behind that.
  const { view } = useLook();
  const [chosen, choose] = useState<boolean>();
  const isOpen = chosen ?? (view === 'frames' || isAlone);
  // It is told that it was opened by us, too.
  const toggled = (isNow: boolean): void => {
    if (isNow !== isOpen) choose(isNow);
  };
  return (
    <details className="detail-event" open={isOpen} onToggle={({ currentTarget }) => toggled(currentTarget.open)}>
      <summary>Event {seq}</summary>
      {isOpen && <Raw runId={runId} seq={seq} />}
    </details>
  );
}

function Raw({ runId, seq }: OfEvent): ReactElement {
  const isToCome = useRun(runId, { select: ({ latest, isPending }) => !isPending && seq > latest });
  const { data, error, isPending, refetch } = useEvent(runId, seq);
  if (error) {
    return (
      <p role="alert">
        The server did not give it: {visible(error.message)}{' '}
        <button type="button" onClick={() => refetch()}>
          Try again
        </button>
      </p>
    );
  }
  if (isToCome) return <p className="muted">The log of this run has no event of this number yet.</p>;
  if (isPending) return <p className="muted">Asking the server…</p>;
  if (data === null) return <p className="muted">No event of this run has this number.</p>;
  return (
    <>
      <p className="muted">
        <code>{visible(data.type)}</code> · {absolute(data.time)}
      </p>
      <p className="detail-copies">
        <Copy text={() => JSON.stringify(data)}>Copy JSON</Copy>
        <Copy text={formatCursor(data.epoch, data.seq)}>Copy cursor</Copy>
        <Copy text={curlAfter(runId, data)}>Copy as curl</Copy>
      </p>
      <JsonTree name="event" value={data} />
    </>
  );
}

/** What watches the run from this event on. */
const curlAfter = (runId: string, { epoch, seq }: TelltaleEvent): string =>
  `curl -N '${serverUrl().href}v1/runs/${runId}/stream?after=${formatCursor(epoch, seq - 1)}'`;
