import { memo, type ReactElement } from 'react';
import type { TelltaleEvent } from 'telltale/protocol';
import { visible } from 'telltale/react/parts';
import { count } from '../../ui/format.ts';
import { tookWords } from '../took.ts';
import type { Known } from './event-pages.ts';
import { groupOf } from './matches.ts';

/** More of an event is not seen in one line. */
const PREVIEW = 200;

export interface FrameRowProps {
  readonly seq: number;
  readonly known: Known;
  /** The event before it in the list, for the time between the two. */
  readonly before: Known;
}

/** One event in a line: its number, type, agent, size, the time since the one before, and how its data begins. */
export const FrameRow = memo(({ seq, known, before }: FrameRowProps): ReactElement => {
  if (known === undefined) return <Plain seq={seq} text="…" />;
  if (known === 'other') return <Plain seq={seq} text="of another run of this thread, or deleted" />;
  const gap = typeof before === 'object' ? Date.parse(known.time) - Date.parse(before.time) : undefined;
  const text = JSON.stringify(known.data);
  return (
    <>
      <span className="frame-seq">{seq}</span>
      <code className="frame-type" data-group={groupOf(known.type)}>
        {visible(known.type)}
      </code>
      <bdi className="frame-agent">{visible(known.agent?.name ?? '')}</bdi>
      <span className="frame-size">{count(sizeOf(known))} B</span>
      <span className="frame-gap">{gap !== undefined && gap > 0 && `+${tookWords(gap)}`}</span>
      <code className="frame-data">{visible(text.slice(0, PREVIEW))}</code>
    </>
  );
});

const sizes = new WeakMap<TelltaleEvent, number>();
const encoder = new TextEncoder();

/** As JSON, in bytes. */
function sizeOf(event: TelltaleEvent): number {
  const size = sizes.get(event) ?? encoder.encode(JSON.stringify(event)).length;
  sizes.set(event, size);
  return size;
}

const Plain = ({ seq, text }: { seq: number; text: string }): ReactElement => (
  <>
    <span className="frame-seq">{seq}</span>
    <span className="frame-other">{text}</span>
  </>
);
