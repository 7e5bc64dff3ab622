import './turn-view.css';
import { Link } from '@tanstack/react-router';
import { memo, type ReactElement, useMemo } from 'react';
import type { RunSnapshot } from 'telltale/protocol';
import { ApprovalCard, Glyph, visible } from 'telltale/react/parts';
import { Copy } from '../ui/copy.tsx';
import { absolute, timeOfDay } from '../ui/format.ts';
import { Markdown } from '../ui/markdown.tsx';
import { RunButtons } from './run-buttons.tsx';
import { commandLine, decisionLine, standingLine } from './standing.ts';
import { turnOf } from './turn.ts';
import { Work } from './work.tsx';

export interface TurnProps {
  readonly run: RunSnapshot;
  readonly isOpen: boolean;
  readonly onToggle: (runId: string) => void;
}

/** A question, what is done for it, and its answer. Renders when its own run has changed. */
export const TurnView = memo(function TurnView({ run, isOpen, onToggle }: TurnProps): ReactElement {
  const turn = useMemo(() => turnOf(run), [run]);
  const { runId, question, agent, phase, answer } = turn;
  const asked = run.queuedAt ?? run.startedAt;
  const standing = standingLine(run);
  const command = commandLine(run);
  const isGoingOn = phase !== 'completed' && phase !== 'failed' && phase !== 'cancelled';
  const buttons = isGoingOn && <RunButtons runId={runId} status={run.status} />;
  // While it is worked on, they stand with the work.
  const hasEndButtons = phase === 'queued' || phase === 'answering';
  return (
    <li className="turn" aria-busy={isGoingOn} data-run={runId} data-phase={phase}>
      <article className="turn-question" aria-labelledby={`q-${runId}`}>
        <h2 id={`q-${runId}`}>
          Question{' '}
          {asked && (
            <time className="muted" dateTime={asked} title={absolute(asked)}>
              {timeOfDay(asked)}
            </time>
          )}
        </h2>
        <p dir="auto">{visible(question, true)}</p>
      </article>
      {phase !== 'queued' && (
        <Work turn={turn} isOpen={isOpen} onToggle={onToggle}>
          {buttons}
        </Work>
      )}
      {run.approvals.map((it) =>
        it.status === 'requested' ? (
          <ApprovalCard.Root key={it.id} runId={runId} approvalId={it.id} className="panel" />
        ) : (
          <p key={it.id} className="turn-settled">
            <Glyph status={it.status} /> {visible(it.prompt)} <span className="muted">{decisionLine(it)}</span>
          </p>
        ),
      )}
      {answer !== '' && (
        <article className="turn-answer" aria-labelledby={`a-${runId}`}>
          <h2 id={`a-${runId}`}>
            <bdi>{visible(agent)}</bdi> {phase === 'answering' && <span className="muted">answering…</span>}
          </h2>
          <Markdown text={answer} />
        </article>
      )}
      {(standing !== undefined || command !== undefined || hasEndButtons) && (
        <footer className="turn-end">
          {standing !== undefined && (
            <span className="turn-standing" data-status={run.status}>
              <Glyph status={run.status} /> {standing}
            </span>
          )}
          {command !== undefined && <span className="muted">{command}</span>}
          <span className="turn-actions">
            {hasEndButtons && buttons}
            {answer !== '' && !isGoingOn && <Copy text={answer}>Copy answer</Copy>}
            {!isGoingOn && (
              <Link to="/runs/$runId" params={{ runId }}>
                Open the run
              </Link>
            )}
          </span>
        </footer>
      )}
    </li>
  );
});
