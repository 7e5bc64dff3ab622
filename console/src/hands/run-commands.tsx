import './run-commands.css';
import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import type { Command } from 'telltale/protocol';
import { Commands, visible } from 'telltale/react/parts';
import { absolute, timeOfDay } from '../ui/format.ts';
import { NotAllowed } from './not-allowed.tsx';

/** Pause, resume and cancel, with who asked for it, why, when, and when it took effect: as the log says, in every tab. */
export function RunCommands({ runId }: { readonly runId: string }): ReactElement {
  return (
    <Commands.Root
      runId={runId}
      confirm
      className="run-commands"
      render={({ children: _, ref: __, ...group }, { commands, isOpen, told }) => (
        <div {...group}>
          {isOpen && (
            <>
              <Commands.Pause /> <Commands.Resume /> <Commands.Cancel />
            </>
          )}
          <span className="run-commands-told">
            <Commands.Status /> {told && <Told runId={runId} command={told} />}
          </span>
          {isOpen && (
            <NotAllowed errors={Object.values(commands).map(({ error }) => error)} to="pause, resume or cancel it" />
          )}
        </div>
      )}
    />
  );
}

/** `asked 14:02:10 (event 410) · took effect 14:02:11 (event 412)`; by whom where the line before it does not say so. */
function Told({ runId, command }: { readonly runId: string; readonly command: Command }): ReactElement {
  const { status, seq, askedAt, endSeq, endedAt, by, reason } = command;
  return (
    <span className="muted">
      asked <Time time={askedAt} /> {by !== undefined && !NAMING.has(status) && <>by {visible(by)} </>}(
      <EventLink runId={runId} seq={seq} />)
      {endSeq !== undefined && endedAt !== undefined && (
        <>
          {' '}
          · {ENDS[status] ?? 'ended'} <Time time={endedAt} /> (<EventLink runId={runId} seq={endSeq} />)
        </>
      )}
      {reason !== undefined && <bdi> · {visible(reason)}</bdi>}
    </span>
  );
}

/** Of these the part's own line names who asked. */
const NAMING: ReadonlySet<Command['status']> = new Set(['requested', 'overdue', 'applied']);

const ENDS: Partial<Record<Command['status'], string>> = {
  applied: 'took effect',
  refused: 'refused',
  void: 'the run ended',
};

const Time = ({ time }: { readonly time: string }): ReactElement => (
  <time dateTime={time} title={absolute(time)}>
    {timeOfDay(time)}
  </time>
);

/** The way to an event of a run. */
export const EventLink = ({ runId, seq }: { readonly runId: string; readonly seq: number }): ReactElement => (
  <Link
    to="/runs/$runId"
    params={{ runId }}
    search={(before) => ({ ...before, event: seq })}
    replace
    resetScroll={false}
  >
    event {seq}
  </Link>
);
