import './faults.css';
import { useMutation } from '@tanstack/react-query';
import { type ReactElement, type ReactNode, useSyncExternalStore } from 'react';
import { useTelltale } from 'telltale/react';
import { visible } from 'telltale/react/parts';
import { plural } from '../ui/format.ts';
import { useOpen } from './conversation.ts';
import type { Weather } from './weather.ts';

const OFFLINE_MS = 10_000;
const LOST = 20;
/** The agent that takes faults (`telltale serve` has it where no agents are named). */
const REHEARSAL = 'rehearsal';

/** Faults to make on purpose, and what came of them: what a page does then is what it is worth. */
export function Faults({ weather, threadId }: { weather: Weather; threadId: string }): ReactElement {
  return (
    <details className="faults">
      <summary>Break it: see how this page takes faults</summary>
      <InThisPage weather={weather} />
      <OnTheServer threadId={threadId} />
    </details>
  );
}

function InThisPage({ weather }: { weather: Weather }): ReactElement {
  const { isSlow, isOffline, toLose, hasLost, drops } = useSyncExternalStore(weather.subscribe, weather.getSnapshot);
  const said = [
    isOffline && 'No request of this page gets through for 10 s.',
    isSlow && 'Streams come at 2 KB a second, in pieces.',
    toLose > 0 && `The next ${plural(toLose, 'event')} will not reach this page.`,
    toLose === 0 &&
      hasLost > 0 &&
      `${plural(hasLost, 'event')} did not reach this page: it sees the hole, and reads them again.`,
    !isOffline && drops > 0 && `Dropped ${plural(drops, 'time')}; the page comes back by itself.`,
  ].filter(Boolean);
  return (
    <Row title="In this page" said={said.join(' ')}>
      <button type="button" onClick={() => weather.drop()}>
        Drop the connection
      </button>
      <button type="button" onClick={() => weather.lose(LOST)} disabled={toLose > 0}>
        Lose {LOST} events
      </button>
      <button type="button" onClick={() => weather.goAstray()}>
        Lose the place in the log
      </button>
      <button type="button" aria-pressed={isSlow} onClick={() => weather.slow(!isSlow)}>
        Slow network
      </button>
      <button type="button" onClick={() => weather.offline(OFFLINE_MS)} disabled={isOffline}>
        No network for 10 s
      </button>
    </Row>
  );
}

type Ask = 'tool' | 'crash' | 'pause' | 'cancel';

function OnTheServer({ threadId }: { threadId: string }): ReactElement {
  const run = useOpen(threadId);
  const client = useTelltale();
  const runId = run?.runId;
  const fault = useMutation({
    mutationFn: async (ask: Ask): Promise<Ask> => {
      if (runId === undefined) return ask;
      if (ask === 'pause' || ask === 'cancel') await client.run(runId)[ask]();
      else await client.run(runId).input({ break: ask });
      return ask;
    },
  });
  const isRehearsal = run?.agent === REHEARSAL && run.status === 'running';
  const why = !run
    ? `Ask ${REHEARSAL} something first: it is the agent that can be made to fail.`
    : isRehearsal
      ? ''
      : `${visible(run.agent ?? 'This agent')} can be paused and cancelled; only ${REHEARSAL} can be made to fail.`;
  const told: Readonly<Record<Ask, string>> = {
    tool: 'Said to the run: its call of a tool fails, the one under way or the next. It makes it again.',
    crash: 'Said to the run: the agent throws, and the run ends as failed.',
    pause: 'Asked for: the run is held before its next call.',
    cancel: 'Asked for: the run is cancelled.',
  };
  const said = fault.error
    ? `That did not get through: ${visible(fault.error.message)}`
    : fault.data && told[fault.data];
  return (
    <Row title="On the server" said={said ?? why}>
      <button type="button" onClick={() => fault.mutate('tool')} disabled={!isRehearsal}>
        Fail a tool
      </button>
      <button type="button" onClick={() => fault.mutate('crash')} disabled={!isRehearsal}>
        Crash the agent
      </button>
      <button type="button" onClick={() => fault.mutate('pause')} disabled={run?.status !== 'running'}>
        Pause the run
      </button>
      <button type="button" onClick={() => fault.mutate('cancel')} disabled={!run}>
        Kill the run
      </button>
    </Row>
  );
}

function Row({ title, said, children }: { title: string; said: string; children: ReactNode }): ReactElement {
  return (
    <fieldset>
      <legend>{title}</legend>
      {children}
      <p role="status" className="muted">
        {said}
      </p>
    </fieldset>
  );
}
