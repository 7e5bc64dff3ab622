'use client';

import { createContext, forwardRef, type MouseEvent, useId, useState } from 'react';
import { type Command, isEnded } from '../../protocol/index.ts';
import { type RunResult, useRun } from '../use-run.ts';
import { type RunCommand, type RunCommands, useRunCommands } from '../use-run-commands.ts';
import { useSaying } from './aloud.ts';
import { type OfRun, type Own, type PartProps, partOf, rootOf, type Shown, useRoot } from './element.ts';
import { Glyph } from './glyph.tsx';
import { useHeldFocus } from './held-focus.ts';
import { commandLine } from './standing.ts';
import { useWords, type Words } from './words.ts';

export interface CommandsState {
  readonly commands: RunCommands;
  /** The run goes on: there is something to ask for. */
  readonly isOpen: boolean;
  /** Whether the reader is asked if a cancel is meant. */
  readonly isConfirming: boolean;
  /** What has come of the last command; empty before the first. */
  readonly text: string;
  readonly status: Command['status'] | undefined;
  /** The command that `text` is about, where it is in the log: who asked for it, why and when, and what came of it when. */
  readonly told: Command | undefined;
}

interface ControlsShown extends Shown<CommandsState> {
  readonly by: string | undefined;
  readonly statusId: string;
  readonly mustConfirm: boolean;
  readonly confirming: (isConfirming: boolean) => void;
}

const Controls = createContext<ControlsShown | undefined>(undefined);

export type RootProps = PartProps<'div', CommandsState> &
  OfRun & {
    /** Asks before a cancel is sent. */
    readonly confirm?: boolean | undefined;
    /** Who asks here, where the server does not know that by itself. */
    readonly by?: string | undefined;
  };

/**
 * Pause, resume and cancel, and what has come of them: asked for, followed, refused, or not followed in time. The same in
 * every tab. What makes no sense now cannot be pressed, and stays where it is.
 *
 * @example
 * <Commands.Root runId={runId} confirm />
 */
export const Root = rootOf(Controls, 'div', 'commands', (props: RootProps, words) => {
  const { runId, confirm = false, by } = props;
  const commands = useRunCommands(runId, props);
  const runStatus = useRun(runId, { ...props, select: ({ status }: RunResult) => status });
  const isOpen = runStatus !== 'pending' && !isEnded(runStatus);
  const [wasAsked, confirming] = useState(false);
  const isConfirming = wasAsked && isOpen && commands.cancel.can;
  const { text, status, told, isOurs } = lineOf(commands, useIsNews(commands), words);
  const statusId = useId();
  const focus = useHeldFocus(`${isOpen} ${isConfirming}`);
  useSaying(runId, isOurs ? text : undefined);
  if (!isOpen && !text) return undefined;
  const children = (
    <>
      <Pause /> <Resume /> <Cancel /> <Status />
    </>
  );
  const own = {
    status: runStatus,
    role: 'group',
    'aria-label': words.commands(),
    'aria-describedby': text ? statusId : undefined,
    ...focus,
    children,
  };
  return {
    state: { commands, isOpen, isConfirming, text, status, told },
    own,
    by,
    statusId,
    mustConfirm: confirm,
    confirming,
  };
});

const NAMES = ['cancel', 'resume', 'pause'] as const;

const hasFailedHere = ({ error, last }: RunCommand): boolean => error !== undefined && !last?.error;
const toldAt = ({ last }: RunCommand): number => last?.endSeq ?? last?.seq ?? -1;

/** Whether what failed here is newer than what the log told last: it counts until the log tells of a command again. */
function useIsNews(commands: RunCommands): boolean {
  const all = NAMES.map((name) => commands[name]);
  const error = all.find(hasFailedHere)?.error;
  const newest = Math.max(...all.map(toldAt));
  const [failed, setFailed] = useState({ error, newest });
  if (failed.error !== error) setFailed({ error, newest });
  return newest <= failed.newest;
}

/** What is under way, what failed here, or else what the log told last. */
function lineOf(commands: RunCommands, isNews: boolean, words: Words) {
  const rank = (it: RunCommand): number =>
    it.isPending ? Number.POSITIVE_INFINITY : isNews && hasFailedHere(it) ? Number.MAX_VALUE : toldAt(it);
  const command = NAMES.reduce((one, other) => (rank(commands[other]) > rank(commands[one]) ? other : one));
  const { isPending, isOverdue, error, last } = commands[command];
  const isOurs = !isPending && isNews && hasFailedHere(commands[command]);
  const status: Command['status'] | undefined = isOverdue
    ? 'overdue'
    : isPending
      ? 'requested'
      : isOurs
        ? 'refused'
        : last?.status;
  if (!status) return { text: '', status, isOurs, told: undefined };
  // One that is only now asked for is nobody else's.
  const isAsked = last?.status === 'requested' || last?.status === 'overdue';
  const by = isOurs || (isPending && !isAsked) ? undefined : last?.by;
  return {
    text: commandLine({ command, status, by, error }, words),
    status,
    // What was asked for here, and is not in the log yet or never got there, is another one than the last in it.
    told: isOurs || (isPending && !isAsked) ? undefined : last,
    isOurs,
  };
}

/** A button that asks for a command. */
function buttonOf(
  name: Command['command'],
  { state, by }: ControlsShown,
  words: Words,
  press?: (event: MouseEvent) => void,
): Own | undefined {
  const { can, ask, last } = state.commands[name];
  if (!state.isOpen) return undefined;
  return {
    status: last?.status,
    type: 'button',
    // Not `disabled`: that would take the focus away.
    'aria-disabled': !can || undefined,
    onClick: (event: MouseEvent) => {
      if (!can) return;
      if (press) press(event);
      else void ask(by === undefined ? {} : { by });
    },
    children: words.command(name),
  };
}

export const Pause = partOf(Controls, 'button', 'commands-pause', (shown, words) => buttonOf('pause', shown, words));
export const Resume = partOf(Controls, 'button', 'commands-resume', (shown, words) => buttonOf('resume', shown, words));

/** The button itself, without what it asks. */
const CancelButton = partOf(Controls, 'button', 'commands-cancel', (shown, words) => {
  const { mustConfirm, confirming, state } = shown;
  return buttonOf('cancel', shown, words, mustConfirm ? () => confirming(!state.isConfirming) : undefined);
});

/** Once, when it appears. */
const takeFocus = (element: HTMLElement | null): void => element?.focus();

/**
 * With `confirm`, it asks first whether that is meant, and why; the focus is on the answer that changes nothing, as is
 * Escape. The reason goes into the log with the command. Enter in it sends nothing.
 */
export const Cancel = forwardRef<HTMLButtonElement, PartProps<'button', CommandsState>>(function Cancel(given, ref) {
  const { state, by, confirming } = useRoot(Controls);
  const words = useWords();
  const button = <CancelButton {...given} ref={ref} />;
  if (!state.isConfirming) return button;
  const close = ({ currentTarget }: { readonly currentTarget: Element }): void => {
    confirming(false);
    const slots = currentTarget.closest('[data-slot=commands]');
    slots?.querySelector<HTMLElement>('[data-slot=commands-cancel]')?.focus();
  };
  return (
    <>
      {button} {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is drawn as one. */}
      <span
        role="group"
        aria-label={words.confirmCancel()}
        data-slot="commands-confirm"
        onKeyDown={(event) => event.key === 'Escape' && close(event)}
      >
        {words.confirmCancel()}{' '}
        <input data-slot="commands-reason" aria-label={words.confirmReason()} placeholder={words.confirmReason()} />{' '}
        <button type="button" data-slot="commands-keep" ref={takeFocus} onClick={close}>
          {words.confirmNo()}
        </button>{' '}
        <button
          type="button"
          data-slot="commands-sure"
          onClick={(event) => {
            const reason = event.currentTarget.parentElement?.querySelector('input')?.value.trim();
            close(event);
            void state.commands.cancel.ask({ ...(by !== undefined && { by }), ...(reason && { reason }) });
          }}
        >
          {words.confirmYes()}
        </button>
      </span>
    </>
  );
});

/** What has come of the last command. */
export const Status = partOf(Controls, 'span', 'commands-status', ({ state: { text, status }, statusId }) =>
  text && status
    ? {
        id: statusId,
        status,
        children: (
          <>
            <Glyph status={status} /> {text}
          </>
        ),
      }
    : undefined,
);
