import './header.css';
import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { type RunResult, useRun } from 'telltale/react';
import { ConnectionStatus, Glyph, visible } from 'telltale/react/parts';
import { Notify } from '../hands/notify.tsx';
import { RunCommands } from '../hands/run-commands.tsx';
import { AccessLost } from '../session/access-lost.tsx';
import { Copy } from '../ui/copy.tsx';
import { STATUS_WORDS, shortId } from '../ui/format.ts';
import { Status } from '../ui/status.tsx';
import { titleOf } from './heading.ts';
import { useLook } from './look.ts';
import { modelsOf } from './models.ts';
import { More } from './more/more.tsx';
import { Next } from './next.tsx';

interface OfRun {
  readonly runId: string;
}

/** Which run it is, how it stands, and what one can do with it. */
export function Header({ runId }: OfRun): ReactElement {
  return (
    <header className="run-header">
      <div className="run-name">
        <Link to="/" className="run-back">
          <span aria-hidden="true">‹ </span>Runs
        </Link>
        <Name runId={runId} />
        <Id runId={runId} />
      </div>
      <div className="run-standing">
        <Standing runId={runId} />
        <RunCommands runId={runId} />
        <Notify runId={runId} />
        <Next runId={runId} />
        <More runId={runId} />
      </div>
      <Access runId={runId} />
    </header>
  );
}

function Name({ runId }: OfRun): ReactElement {
  const { title, agent } = useRun(runId, { select: named });
  return (
    <>
      <h1 title={title}>
        <bdi>{title}</bdi>
      </h1>
      {agent !== '' && agent !== title && <bdi className="run-agent">{agent}</bdi>}
    </>
  );
}

const named = ({ data }: RunResult) => ({
  title: data ? visible(titleOf(data)) : 'Run',
  agent: visible(data?.agent ?? ''),
});

/** Its id, and who thinks in it: the models that the log names, or that none does. */
function Id({ runId }: OfRun): ReactElement {
  const models = useRun(runId, { select: ({ data }) => (data ? modelsOf(data.llmCalls) : '') });
  return (
    <>
      <span className="run-id">
        <code title={runId}>{shortId(runId)}</code>
        <Copy text={runId}>Copy id</Copy>
      </span>
      {models && (
        <bdi className="run-model" title="Who answers the agents">
          {models}
        </bdi>
      )}
    </>
  );
}

/** The two axes: how the run stands, and how we are connected to it. An end is known for good, whatever the connection does. */
function Standing({ runId }: OfRun): ReactElement {
  const { status, isTold, isLost } = useRun(runId, { select: standing });
  return (
    <div className="run-sentence">
      {status !== undefined && !isTold && (
        <Status status={status} {...(isLost && { word: `was ${STATUS_WORDS[status]}` })} />
      )}
      <ConnectionStatus.Root runId={runId} />
      <Question runId={runId} />
    </div>
  );
}

/** That one may not go on watching what is shown. */
const Access = ({ runId }: OfRun): ReactElement => <AccessLost {...useRun(runId, { select: lost })} />;

const lost = ({ connection, error, reconnect }: RunResult) => ({
  error: connection === 'closed' ? error : undefined,
  reconnect,
});

/** That somebody is waited for, and the way there. */
function Question({ runId }: OfRun): ReactElement | null {
  const { look } = useLook();
  const { seq, count } = useRun(runId, { select: asked });
  if (seq === undefined) return null;
  return (
    <button type="button" className="run-question" onClick={() => look({ event: seq })}>
      <Glyph status="requested" /> {count === 1 ? 'A question waits for you' : `${count} questions wait for you`}
    </button>
  );
}

function asked({ data, isEnded }: RunResult) {
  const open = isEnded ? [] : (data?.approvals.filter(({ status }) => status === 'requested') ?? []);
  return { seq: open[0]?.seq, count: open.length };
}

function standing({ status, connection, isEnded }: RunResult) {
  return {
    status: status === 'pending' ? undefined : status,
    /** Nobody tries to connect any more: what the run does now is not known. */
    isLost: connection === 'closed',
    // The line of the connection says it then.
    isTold: isEnded || (connection === 'live' && (status === 'paused' || status === 'queued')),
  };
}
