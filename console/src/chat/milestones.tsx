import { type ReactElement, useEffect, useRef, useState } from 'react';
import type { RunSnapshot } from 'telltale/protocol';
import { type ThreadResult, useThread } from 'telltale/react';
import { standingLine } from './standing.ts';
import { phaseOf } from './turn.ts';

interface Milestone {
  /** The same as long as there is nothing new to say. */
  readonly key: string;
  readonly text: string;
  readonly isUrgent: boolean;
}

/** Tells a screen reader what has come of the last question: when it stands anew, never what is streamed. */
export function Milestones({ threadId }: { threadId: string }): ReactElement {
  const milestone = useThread(threadId, { select: newest, isEqual: isSame });
  const [told, tell] = useState<Milestone>();
  const known = useRef<string>(undefined);
  useEffect(() => {
    if (!milestone) return;
    // What was so when the page was opened is no news.
    if (known.current !== undefined && known.current !== milestone.key) tell(milestone);
    known.current = milestone.key;
  }, [milestone]);
  return (
    <div className="sr-only">
      <div role="status">{told && !told.isUrgent && told.text}</div>
      <div role="alert">{told?.isUrgent && told.text}</div>
    </div>
  );
}

const isSame = (one: Milestone | undefined, other: Milestone | undefined): boolean => one?.key === other?.key;

function newest({ data, connection, isCatchingUp, isPending, error }: ThreadResult): Milestone | undefined {
  if (connection === 'reconnecting' || connection === 'offline') {
    return { key: 'lost', text: 'Connection lost. The run continues.', isUrgent: false };
  }
  if (isPending) return error && { key: 'new', text: '', isUrgent: false };
  if (isCatchingUp) return undefined;
  const run = data?.runs.findLast((it) => it.parentRunId === undefined);
  return run && milestoneOf(run);
}

const TEXTS = { thinking: 'Asked. Thinking.', answering: 'Answering.', completed: 'The answer is there.' };

function milestoneOf(run: RunSnapshot): Milestone {
  const phase = phaseOf(run);
  const asked = run.approvals.findLast(({ status }) => status === 'requested');
  if (asked) return { key: asked.id, text: `Approval needed: ${asked.prompt}`, isUrgent: true };
  const text = TEXTS[phase as keyof typeof TEXTS] ?? standingLine(run) ?? '';
  return { key: `${run.runId} ${phase}`, text, isUrgent: phase === 'failed' };
}
