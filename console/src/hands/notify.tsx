import { type ReactElement, useEffect, useRef, useState } from 'react';
import { type RunResult, useRun } from 'telltale/react';
import { visible } from 'telltale/react/parts';
import { STATUS_WORDS } from '../ui/format.ts';

const told = ({ data, status, isEnded, isLive }: RunResult) => ({
  status,
  isEnded,
  isLive,
  agent: data?.agent ?? 'The run',
  /** The newest question that is open. */
  question: data?.approvals.findLast((it) => it.status === 'requested'),
});

/** Whoever looks elsewhere is told by the system when a run ends or asks: if he wants, and the browser lets him. */
export function Notify({ runId }: { readonly runId: string }): ReactElement | null {
  const { status, isEnded, agent, question } = useRun(runId, { select: told });
  const [isOn, setOn] = useState(false);
  const [isRefused, setRefused] = useState(false);
  const asked = useRef<string>(undefined);
  useEffect(() => {
    if (!isOn) {
      // What was asked before is known already.
      asked.current = question?.id;
      return;
    }
    if (isEnded) tell(runId, `${visible(agent)}: ${STATUS_WORDS[status as keyof typeof STATUS_WORDS]}`);
    else if (question && question.id !== asked.current) {
      asked.current = question.id;
      tell(runId, `${visible(agent)} asks`, visible(question.prompt, true));
    }
  }, [isOn, isEnded, status, question, agent, runId]);
  // Browsers have it on https: and on localhost only.
  if (isEnded || status === 'pending' || typeof Notification === 'undefined') return null;
  const turn = async (): Promise<void> => {
    if (isOn) return setOn(false);
    const answer = await Notification.requestPermission();
    setRefused(answer !== 'granted');
    setOn(answer === 'granted');
  };
  return (
    <>
      <button type="button" className="quiet" aria-pressed={isOn} onClick={turn}>
        {isOn ? '✓ You will be told when it ends or asks' : 'Tell me when it ends or asks'}
      </button>
      {isRefused && (
        <span role="status" className="muted">
          The browser does not allow it here. The title of the tab tells it, too.
        </span>
      )}
    </>
  );
}

/** Only to whoever does not see the page. */
function tell(runId: string, title: string, body?: string): void {
  if (document.visibilityState !== 'hidden') return;
  try {
    const shown = new Notification(title, { tag: `telltale ${runId}`, ...(body !== undefined && { body }) });
    shown.onclick = () => window.focus();
  } catch {
    // Some phones have the name, and let no page use it.
  }
}
