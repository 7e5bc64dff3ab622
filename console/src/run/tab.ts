import { useEffect } from 'react';
import { type RunResult, useRun } from 'telltale/react';
import { visible } from 'telltale/react/parts';
import { useTitle } from '../ui/title.ts';
import { titleOf } from './heading.ts';

type Sign = 'running' | 'waits' | 'done' | 'failed' | undefined;

/** What the browser's tab tells of a run, for whoever looks at another one: how it stands, how far it is, what it is about. */
export function useTab(runId: string): void {
  const { sign, text } = useRun(runId, { select: told });
  useTitle(text);
  useEffect(() => {
    const icon = document.querySelector<HTMLLinkElement>('link[rel=icon]');
    if (!icon || !sign) return;
    const before = icon.href;
    icon.href = `./assets/icon-${sign}.svg`;
    return () => {
      icon.href = before;
    };
  }, [sign]);
}

function told({ data, status }: RunResult): { readonly sign: Sign; readonly text: string } {
  const title = data ? visible(titleOf(data)) : 'Run';
  switch (status) {
    case 'completed':
      return { sign: 'done', text: `✓ ${title}` };
    case 'failed':
      return { sign: 'failed', text: `✕ ${title}` };
    case 'cancelled':
      return { sign: undefined, text: `■ ${title}` };
    case 'queued':
    case 'pending':
      return { sign: undefined, text: title };
  }
  const isAsked = data?.approvals.some((it) => it.status === 'requested');
  if (status === 'paused' || isAsked) return { sign: 'waits', text: `‖ waits for you · ${title}` };
  const share = shareOf(data);
  return { sign: 'running', text: `● ${share === undefined ? '' : `${Math.floor(share * 100)} % `}${title}` };
}

/** How far a run is, 0 to 1, where it says so: in its own words, or by its plan. */
function shareOf(data: RunResult['data']): number | undefined {
  if (data?.progress) return data.progress.progress;
  const planned = data?.plan?.stepIds.length ?? 0;
  if (planned === 0) return undefined;
  const done = data?.steps.filter(({ id, status }) => status === 'completed' && data.plan?.stepIds.includes(id)).length;
  return (done ?? 0) / planned;
}
