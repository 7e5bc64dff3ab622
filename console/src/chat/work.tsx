import './work.css';
import type { CSSProperties, ReactElement, ReactNode } from 'react';
import { Glyph, visible } from 'telltale/react/parts';
import { count, duration } from '../ui/format.ts';
import { Elapsed, useElapsed } from './log-clock.tsx';
import { thinkingLine } from './standing.ts';
import type { Turn, WorkLine } from './turn.ts';

interface WorkProps {
  readonly turn: Turn;
  /** Its thinking is open in the flyout. */
  readonly isOpen: boolean;
  readonly onToggle: (runId: string) => void;
  /** What can be done about it while it is done. */
  readonly children?: ReactNode;
}

/** What is done for an answer: while it is done, its newest lines; then the chip, which opens all of it. */
export function Work({ turn, isOpen, onToggle, children }: WorkProps): ReactElement {
  const isRunning = turn.phase === 'thinking' || turn.phase === 'paused';
  const elapsed = useElapsed(turn.phase === 'thinking' ? turn.startedAt : undefined);
  const isPaused = turn.phase === 'paused';
  const isAsking = isRunning && turn.isAsking;
  const how = isRunning
    ? 'running'
    : turn.phase === 'failed' || turn.phase === 'cancelled'
      ? 'interrupted'
      : 'completed';
  const chip = (
    <button
      type="button"
      className="work-chip"
      data-run={turn.runId}
      aria-expanded={isOpen}
      onClick={() => onToggle(turn.runId)}
    >
      <Glyph status={isPaused ? 'paused' : isAsking ? 'requested' : how} />{' '}
      {isAsking
        ? 'Waits for your answer'
        : thinkingLine(how, isRunning ? elapsed : turn.thinkingMs, turn.tools, turn.failedTools)}{' '}
      <span aria-hidden="true" className="work-arrow">
        ▸
      </span>
    </button>
  );
  if (!isRunning) return <div className="work">{chip}</div>;
  return (
    <div className="work work-running">
      <div className="work-head">
        {chip}
        <span className="work-actions">{children}</span>
      </div>
      {turn.earlier > 0 && <p className="muted">{count(turn.earlier)} before these</p>}
      <ol className="work-lines" aria-label="What is done now">
        {turn.lines.map((line, i) => (
          <Line key={line.key} line={line} isLast={i === turn.lines.length - 1} />
        ))}
      </ol>
    </div>
  );
}

function Line({ line, isLast }: { line: WorkLine; isLast: boolean }): ReactElement {
  const { kind, name, args, status, depth, startedAt, durationMs, problem } = line;
  const isRunning = status === 'running';
  return (
    <li className="work-line" data-status={status} style={{ '--depth': depth } as CSSProperties}>
      <span aria-hidden="true" className="work-branch">
        {isLast ? '└' : '├'}
      </span>
      <Glyph status={status} />{' '}
      {kind === 'agent' ? (
        <span>
          [<bdi>{visible(name)}</bdi>] {isRunning ? 'agent invoked' : status === 'completed' ? 'agent done' : status}
        </span>
      ) : (
        <span>
          {isRunning ? 'Calling ' : ''}
          <bdi className="work-tool">{visible(name)}</bdi>
          {args !== undefined && <bdi className="muted work-args">({args})</bdi>}
          {isRunning ? '…' : ''}
        </span>
      )}{' '}
      <span className="muted">
        {isRunning
          ? kind === 'tool' && <Elapsed since={startedAt} />
          : durationMs !== undefined && duration(durationMs)}
        {problem && <span className="work-problem"> {visible(problem)}</span>}
      </span>
    </li>
  );
}
