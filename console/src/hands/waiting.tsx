import './waiting.css';
import { type ReactElement, useEffect, useId, useRef, useState } from 'react';
import type { Approval } from 'telltale/protocol';
import { type RunResult, useRun } from 'telltale/react';
import { ApprovalCard } from 'telltale/react/parts';
import { useShortcuts } from '../shell/shortcuts.ts';
import { absolute, timeOfDay } from '../ui/format.ts';
import { perList } from '../ui/per-list.ts';
import { NotAllowed } from './not-allowed.tsx';
import { EventLink } from './run-commands.tsx';

const NONE: readonly Approval[] = [];
const openOf = perList((all: readonly Approval[]) => all.filter(({ status }) => status === 'requested'));
/** Of a moment of the past nothing waits. */
const asked = ({ data, connection }: RunResult) => (connection === 'replaying' ? NONE : (data?.approvals ?? NONE));

/**
 * The questions that wait for people, above all else. One that is answered while somebody looks stays with its answer,
 * whoever gave it, until the next one is or the reader puts it away.
 */
export function Waiting({ runId }: { readonly runId: string }): ReactElement | null {
  const all = useRun(runId, { select: asked });
  const open = openOf(all);
  const answered = useAnswered(all, open);
  const section = useRef<HTMLElement>(null);
  const id = useId();
  const focus = (): void =>
    section.current?.querySelector<HTMLElement>('[data-slot=approval][data-status=requested]')?.focus();
  useShortcuts(
    'Questions',
    open.length > 0 ? [{ keys: 'a', label: 'To the question that waits for you', run: focus }] : [],
  );
  if (open.length === 0 && !answered.question) return null;
  return (
    <section ref={section} className="waiting" aria-labelledby={id}>
      <header>
        <h2 id={id}>
          {open.length === 0
            ? 'Answered'
            : open.length === 1
              ? 'Waits for you'
              : `Waits for you · ${open.length} questions`}
        </h2>
        {open.length > 0 && <kbd>a</kbd>}
        {answered.question && (
          <button type="button" className="quiet" onClick={answered.putAway}>
            Put the answered one away
          </button>
        )}
      </header>
      {[...(answered.question ? [answered.question] : []), ...open].map((it) => (
        <Question key={it.id} runId={runId} question={it} />
      ))}
    </section>
  );
}

function Question({ runId, question: { id, seq, askedAt } }: { readonly runId: string; readonly question: Approval }) {
  return (
    <ApprovalCard.Root
      runId={runId}
      approvalId={id}
      render={({ children, ref: _, ...card }, { error }) => (
        <div {...card}>
          {children}
          <NotAllowed errors={[error]} to="answer it" />
          <p className="waiting-facts">
            asked{' '}
            <time dateTime={askedAt} title={absolute(askedAt)}>
              {timeOfDay(askedAt)}
            </time>{' '}
            (<EventLink runId={runId} seq={seq} />)
          </p>
        </div>
      )}
    />
  );
}

/** The question that was answered last of those that were seen open here. */
function useAnswered(all: readonly Approval[], open: readonly Approval[]) {
  const seen = useRef(new Set<string>());
  const [away, putAway] = useState<string>();
  useEffect(() => {
    for (const { id } of open) seen.current.add(id);
  }, [open]);
  const [question] = all
    .filter(({ id, status }) => status === 'resolved' && seen.current.has(id))
    .sort((a, b) => (b.endSeq ?? 0) - (a.endSeq ?? 0));
  return {
    question: question?.id === away ? undefined : question,
    putAway: () => putAway(question?.id),
  };
}
