import './faults.css';
import { useMutation } from '@tanstack/react-query';
import { type ReactElement, type ReactNode, useSyncExternalStore } from 'react';
import { useTelltale } from 'telltale/react';
import { visible } from 'telltale/react/parts';
import { plural } from '../ui/format.ts';
import { type Question, useOpen } from './conversation.ts';
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

const TOLD: Readonly<Record<Ask, string>> = {
  tool: 'Said to the run: its call of a tool fails, the one under way or the next. It makes it again.',
  crash: 'Said to the run: the agent throws, and the run ends as failed.',
  pause: 'Asked for: the run is held before its next call.',
  cancel: 'Asked for: the run is cancelled.',
};

const isRehearsing = (run: Question | undefined): boolean => run?.agent === REHEARSAL && run.status === 'running';

/** Why a run cannot be made to fail now; nothing where it can. */
function whyNot(run: Question | undefined): string {
  if (!run) return `Ask ${REHEARSAL} something first: it is the agent that can be made to fail.`;
  if (isRehearsing(run)) return '';
  return run.agent === REHEARSAL
    ? `It is ${run.status === 'queued' ? 'waiting for its turn' : 'paused'}: it can be made to fail while it runs.`
    : `${visible(run.agent ?? 'This agent')} can be paused and cancelled; only ${REHEARSAL} can be made to fail.`;
}

function OnTheServer({ threadId }: { threadId: string }): ReactElement {
  const run = useOpen(threadId);
  const client = useTelltale();
  const fault = useMutation({
    mutationFn: async ({ ask, runId }: { ask: Ask; runId: string }): Promise<void> => {
      if (ask === 'pause' || ask === 'cancel') await client.run(runId)[ask]();
      else await client.run(runId).input({ break: ask });
    },
  });
  const make = (ask: Ask): void => {
    if (run) fault.mutate({ ask, runId: run.runId });
  };
  const asked = run && fault.variables?.runId === run.runId ? fault : undefined;
  const said = asked?.error
    ? `That did not get through: ${visible(asked.error.message)}`
    : asked?.isSuccess && TOLD[asked.variables.ask];
  return (
    <Row title="On the server" said={said || whyNot(run)}>
      <button type="button" onClick={() => make('tool')} disabled={!isRehearsing(run)}>
        Fail a tool
      </button>
      <button type="button" onClick={() => make('crash')} disabled={!isRehearsing(run)}>
        Crash the agent
      </button>
      <button type="button" onClick={() => make('pause')} disabled={run?.status !== 'running'}>
        Pause the run
      </button>
      <button type="button" onClick={() => make('cancel')} disabled={!run}>
        Cancel the run
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
