import { useCallback } from 'react';
import type { About, CommandOutcome } from '../client/index.ts';
import { type Command, isEnded, TelltaleError } from '../protocol/index.ts';
import { type OpenedRun, useRunStore } from './run-source.ts';
import { useRequest } from './use-request.ts';
import { type RunHookOptions, type RunResult, useRunView } from './use-run.ts';

/** One of the commands, as it stands. What was asked, by whom, and what came of it is in the log: the same in every tab. */
export interface RunCommand {
  /** It makes sense to ask for it now: the run could follow it, and nobody waits for that yet. */
  readonly can: boolean;
  /** Resolves with the outcome, or with `undefined` where there is none: `error` says why. */
  ask(about?: About): Promise<CommandOutcome | undefined>;
  /** Asked for, here or anywhere, and neither followed nor refused. */
  readonly isPending: boolean;
  /** Pending for longer than it should. It may yet be followed; it may be asked for again. */
  readonly isOverdue: boolean;
  /** Why it could not be asked for here, or why the last one was refused. */
  readonly error: TelltaleError | undefined;
  /** The last one of its kind in the log: `by`, `reason`, `seq`, and `endSeq`, `endedAt` once it was followed or refused. */
  readonly last: Command | undefined;
  /** The number of the event with which the last one took effect. */
  readonly appliedSeq: number | undefined;
}

export type RunCommands = Readonly<Record<Command['command'], RunCommand>>;

const NONE: readonly Command[] = [];
const told = ({ status, data }: RunResult) => ({ status, commands: data?.commands ?? NONE });

/**
 * What can be asked of a run: to stop, to pause, to go on. Nothing is shown as done before the log says so.
 *
 * @example
 * const { pause, cancel } = useRunCommands(runId);
 * <button onClick={() => pause.ask()} disabled={!pause.can}>{pause.isPending ? 'Pausing…' : 'Pause'}</button>
 */
export function useRunCommands(runId: string | undefined, options: RunHookOptions = {}): RunCommands {
  const opened = useRunStore(runId, options);
  const { status, commands } = useRunView(opened, told, options);
  const cancel = useCommand(opened, 'cancel', commands);
  const pause = useCommand(opened, 'pause', commands);
  const resume = useCommand(opened, 'resume', commands);
  const goesOn = opened.run ? status !== 'pending' && !isEnded(status) : false;
  const isFree = goesOn && !cancel.isPending;
  return {
    cancel: { ...cancel, can: goesOn && mayAsk(cancel) },
    pause: { ...pause, can: isFree && status === 'running' && mayAsk(pause) },
    // Asked for before the run has stopped, it takes the pause back.
    resume: { ...resume, can: isFree && (status === 'paused' || pause.isPending) && mayAsk(resume) },
  };
}

/** What is not said is `undefined`, and is not sent. */
type Said = { readonly [Name in keyof About]-?: string | undefined };
type Asked = Omit<RunCommand, 'can'>;
const mayAsk = ({ isPending, isOverdue }: Asked): boolean => !isPending || isOverdue;

function useCommand({ run }: OpenedRun, command: Command['command'], commands: readonly Command[]): Asked {
  const send = useCallback(
    async (about: Said, key: string): Promise<CommandOutcome | undefined> => run?.[command](about as About, key),
    [run, command],
  );
  const [{ isPending, data, error }, request] = useRequest(send);
  // By name: where nobody checks types, `onClick={pause.ask}` gives it an event.
  const ask = useCallback<RunCommand['ask']>(({ by, reason } = {}) => request({ by, reason }), [request]);
  const last = commands.findLast((it) => it.command === command);
  const isOverdue = last?.status === 'overdue';
  // Acknowledged, and not yet here: the log is a moment behind its answer.
  const isComing = data?.commandId !== undefined && !commands.some(({ id }) => id === data.commandId);
  return {
    ask,
    isPending: isPending || isComing || isOverdue || last?.status === 'requested',
    isOverdue: isOverdue && !isPending && !isComing,
    error: error ?? (last?.error && TelltaleError.fromProblem({ ...last.error, detail: last.error.message }, REFUSED)),
    last,
    appliedSeq: last?.status === 'applied' ? last.endSeq : undefined,
  };
}

const REFUSED = 'command_refused';
