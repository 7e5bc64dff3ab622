'use client';

import {
  createContext,
  type ForwardedRef,
  forwardRef,
  type MouseEvent,
  type ReactElement,
  useId,
  useState,
} from 'react';
import { type Command, isEnded } from '../../protocol/index.ts';
import { type RunResult, useRun } from '../use-run.ts';
import { type RunCommand, type RunCommands, useRunCommands } from '../use-run-commands.ts';
import { useSaying } from './aloud.ts';
import { element, type OfRun, type PartProps, useRoot } from './element.ts';
import { Glyph } from './glyph.tsx';
import { useHeldFocus } from './held-focus.ts';
import type { Labels } from './labels.ts';
import { visible } from './visible.ts';
import { useWords } from './words.ts';

export interface CommandsState {
  readonly commands: RunCommands;
  /** The run goes on: there is something to ask for. */
  readonly isOpen: boolean;
  /** Whether the reader is asked if a cancel is meant. */
  readonly isConfirming: boolean;
  /** What has come of the last command; empty before the first. */
  readonly text: string;
  readonly status: Command['status'] | undefined;
}

interface Shown {
  readonly state: CommandsState;
  readonly by: string | undefined;
  readonly statusId: string;
  readonly mustConfirm: boolean;
  readonly confirming: (isConfirming: boolean) => void;
}

const Controls = createContext<Shown | undefined>(undefined);

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
export const Root = forwardRef<HTMLDivElement, RootProps>(function Commands(props, ref) {
  const { runId, from, initialSnapshot, confirm = false, by, ...given } = props;
  const source = { runId, from, initialSnapshot };
  const { labels, locale } = useWords();
  const commands = useRunCommands(runId, source);
  const runStatus = useRun(runId, { ...source, select: ({ status }: RunResult) => status });
  const isOpen = runStatus !== 'pending' && !isEnded(runStatus);
  const [wasAsked, confirming] = useState(false);
  const isConfirming = wasAsked && isOpen && commands.cancel.can;
  const { text, status, isOurs } = lineOf(commands, labels, locale);
  const statusId = useId();
  const focus = useHeldFocus(`${isOpen} ${isConfirming}`);
  useSaying(runId, isOurs ? text : undefined);
  if (!isOpen && !text) return null;
  const state: CommandsState = { commands, isOpen, isConfirming, text, status };
  const children = (
    <>
      <Pause /> <Resume /> <Cancel /> <Status />
    </>
  );
  const own = {
    slot: 'commands',
    status: runStatus,
    role: 'group',
    'aria-label': labels.commands(locale),
    'aria-describedby': text ? statusId : undefined,
    ...focus,
    children,
  };
  return (
    <Controls.Provider value={{ state, by, statusId, mustConfirm: confirm, confirming }}>
      {element('div', own, given, state, ref as never)}
    </Controls.Provider>
  );
});

const OPEN: ReadonlySet<string> = new Set(['requested', 'overdue']);
const NAMES = ['cancel', 'resume', 'pause'] as const;

/** What is under way, what failed here, or else what the log told last. */
function lineOf(commands: RunCommands, labels: Labels, locale: string) {
  const rank = ({ isPending, error, last }: RunCommand): number =>
    isPending ? Number.POSITIVE_INFINITY : error && !last?.error ? Number.MAX_VALUE : (last?.endSeq ?? last?.seq ?? -1);
  const name = NAMES.reduce((one, other) => (rank(commands[other]) > rank(commands[one]) ? other : one));
  const { isPending, isOverdue, error, last } = commands[name];
  const isOurs = !isPending && error !== undefined && !last?.error;
  const status = isOverdue ? 'overdue' : isPending ? 'requested' : isOurs ? 'refused' : last?.status;
  if (!status) return { text: '', status, isOurs };
  // One that is only now asked for is nobody else's.
  const by = last?.by === undefined || isOurs || (isPending && !OPEN.has(last.status)) ? undefined : visible(last.by);
  const message = error && visible(error.message);
  return { text: labels.commandLine(name, status, by, message, locale), status, isOurs };
}

/** A button that asks for a command. */
function useButton(
  name: Command['command'],
  given: PartProps<'button', CommandsState>,
  ref: ForwardedRef<HTMLButtonElement>,
  press?: (event: MouseEvent) => void,
): ReactElement | null {
  const { state, by } = useRoot(Controls);
  const { labels, locale } = useWords();
  const { can, ask, last } = state.commands[name];
  if (!state.isOpen) return null;
  const own = {
    slot: `commands-${name}`,
    status: last?.status,
    type: 'button' as const,
    // Not `disabled`: that would take the focus away.
    'aria-disabled': !can || undefined,
    onClick: (event: MouseEvent) => {
      if (!can) return;
      if (press) press(event);
      else void ask(by === undefined ? {} : { by });
    },
    children: labels.command(name, locale),
  };
  return element('button', own, given, state, ref as never);
}

export const Pause = forwardRef<HTMLButtonElement, PartProps<'button', CommandsState>>(function Pause(given, ref) {
  return useButton('pause', given, ref);
});

export const Resume = forwardRef<HTMLButtonElement, PartProps<'button', CommandsState>>(function Resume(given, ref) {
  return useButton('resume', given, ref);
});

/** Once, when it appears. */
const takeFocus = (element: HTMLElement | null): void => element?.focus();

/** With `confirm`, it asks first whether that is meant; the focus is on the answer that changes nothing, as is Escape. */
export const Cancel = forwardRef<HTMLButtonElement, PartProps<'button', CommandsState>>(function Cancel(given, ref) {
  const { state, by, mustConfirm, confirming } = useRoot(Controls);
  const { labels, locale } = useWords();
  const button = useButton('cancel', given, ref, mustConfirm ? () => confirming(!state.isConfirming) : undefined);
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
        aria-label={labels.confirmCancel(locale)}
        data-slot="commands-confirm"
        onKeyDown={(event) => event.key === 'Escape' && close(event)}
      >
        {labels.confirmCancel(locale)}{' '}
        <button type="button" data-slot="commands-keep" ref={takeFocus} onClick={close}>
          {labels.confirmNo(locale)}
        </button>{' '}
        <button
          type="button"
          data-slot="commands-sure"
          onClick={(event) => {
            close(event);
            void state.commands.cancel.ask(by === undefined ? {} : { by });
          }}
        >
          {labels.confirmYes(locale)}
        </button>
      </span>
    </>
  );
});

/** What has come of the last command. */
export const Status = forwardRef<HTMLSpanElement, PartProps<'span', CommandsState>>(function Status(given, ref) {
  const { state, statusId } = useRoot(Controls);
  const { text, status } = state;
  if (!text || !status) return null;
  const children = (
    <>
      <Glyph status={status} /> {text}
    </>
  );
  return element('span', { slot: 'commands-status', id: statusId, status, children }, given, state, ref as never);
});
