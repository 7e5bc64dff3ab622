import { type Approval, type Command, isEnded } from '../../protocol/index.ts';
import { durationOf } from '../duration.ts';
import type { RunResult } from '../use-run.ts';
import { visible } from './visible.ts';
import type { Words } from './words.ts';

/** How a run and our view of it stand, as one of a few cases. How a run ended is known for good, whatever the connection does. */
export type RunStanding =
  | 'idle'
  | 'connecting'
  | 'catching-up'
  | 'live'
  | 'reconnecting'
  | 'offline'
  /** It gave up; `reconnect` tries again. */
  | 'lost'
  | 'replaying'
  | 'queued'
  | 'paused'
  | 'completed'
  | 'failed'
  | 'cancelled';

export function standingOf({ connection, status, error }: RunResult): RunStanding {
  if (status !== 'pending' && isEnded(status)) return status as RunStanding;
  if (connection === 'closed') return error ? 'lost' : 'idle';
  return connection === 'live' && (status === 'paused' || status === 'queued') ? status : connection;
}

/** What the reader is told of a run that does not go on by itself; `undefined` of any other. */
export function restingLine(
  standing: RunStanding,
  { data, error }: Pick<RunResult, 'data' | 'error'>,
  words: Words,
): string | undefined {
  const followed = (which: (it: Command) => unknown) =>
    data?.commands.findLast((it) => it.status === 'applied' && which(it));
  switch (standing) {
    case 'queued':
      return words.queued(data?.position);
    case 'paused': {
      const last = followed(Boolean);
      const by = last?.command === 'pause' ? last.by && visible(last.by) : undefined;
      return words.paused(data?.budget?.exceeded?.decision === 'pause' ? 'budget' : undefined, by);
    }
    case 'completed': {
      const { amount, currency } = data?.cost ?? {};
      const cost = amount === undefined ? amount : words.money(amount, currency);
      return words.completed(data && durationOf(data), data?.events ?? 0, cost);
    }
    case 'failed':
      return words.failed(data?.error && visible(data.error.message));
    case 'cancelled': {
      const by = followed((it) => it.command === 'cancel')?.by;
      return words.cancelled(by && visible(by));
    }
    case 'lost':
      return words.lost(error && visible(error.message));
  }
  return undefined;
}

/** What was answered, and by whom. */
export function answerOf({ decision = '', by }: Partial<Approval> = {}, words: Words): string {
  return words.approvalResolved(words.approvalOption(visible(decision)), by && visible(by));
}

interface CommandSaid extends Pick<Command, 'command' | 'status'> {
  readonly by?: string | undefined;
  readonly error?: { readonly message: string } | undefined;
}

/** What has come of a command. */
export const commandLine = ({ command, status, by, error }: CommandSaid, words: Words): string =>
  words.commandLine(command, status, by && visible(by), error && visible(error.message));
