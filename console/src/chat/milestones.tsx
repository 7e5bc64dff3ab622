import { type ReactElement, useEffect, useRef, useState } from 'react';
import type { RunSnapshot } from 'telltale/protocol';
import { type ThreadResult, useThread } from 'telltale/react';
import { standingLine } from './standing.ts';
import { turnOf } from './turn.ts';

const isAway = ({ connection }: ThreadResult): boolean => connection === 'reconnecting' || connection === 'offline';

/** Tells a screen reader what has come of the last question: when it stands anew, never what is streamed. */
export function Milestones({ threadId, last }: { threadId: string; last: RunSnapshot | undefined }): ReactElement {
  const isLost = useThread(threadId, { select: isAway });
  const milestone = last && milestoneOf(last);
  const key = isLost ? 'lost' : milestone && `${last.runId} ${milestone.phase}`;
  const [told, tell] = useState({ text: '', isUrgent: false });
  // What was so when the page was opened is no news.
  const known = useRef<string>(undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the words change with the key alone.
  useEffect(() => {
    const before = known.current;
    known.current = key ?? 'nothing';
    if (key === undefined || before === undefined || before === key) return;
    if (isLost) tell({ text: 'Connection lost. The run continues.', isUrgent: false });
    else if (milestone) tell({ text: milestone.text, isUrgent: milestone.phase === 'failed' });
  }, [key]);
  return (
    <div className="sr-only">
      <div role="status">{told.isUrgent ? '' : told.text}</div>
      <div role="alert">{told.isUrgent ? told.text : ''}</div>
    </div>
  );
}

function milestoneOf(run: RunSnapshot): { phase: string; text: string } {
  const { phase } = turnOf(run);
  const text = { thinking: 'Asked. Thinking.', answering: 'Answering.', completed: 'The answer is there.' };
  return { phase, text: text[phase as keyof typeof text] ?? standingLine(run) ?? '' };
}
