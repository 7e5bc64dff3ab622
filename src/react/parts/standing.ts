import { isEnded, type RunSnapshot } from '../../protocol/index.ts';
import { durationOf } from '../duration.ts';
import type { RunResult } from '../use-run.ts';
import type { Labels } from './labels.ts';
import { visible } from './visible.ts';

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
  labels: Labels,
  locale: string,
): string | undefined {
  switch (standing) {
    case 'queued':
      return labels.queued(data?.position, locale);
    case 'paused': {
      const last = data?.commands.findLast((it) => it.status === 'applied');
      const by = last?.command === 'pause' && last.by !== undefined ? visible(last.by) : undefined;
      return labels.paused(data?.budget?.exceeded?.decision === 'pause' ? 'budget' : undefined, by, locale);
    }
    case 'completed':
      return labels.completed(data && durationOf(data), data?.events ?? 0, costLine(data, labels, locale), locale);
    case 'failed':
      return labels.failed(data?.error && visible(data.error.message), locale);
    case 'cancelled': {
      const by = data?.commands.findLast((it) => it.command === 'cancel' && it.status === 'applied')?.by;
      return labels.cancelled(by === undefined ? undefined : visible(by), locale);
    }
    case 'lost':
      return labels.lost(error && visible(error.message), locale);
    default:
      return undefined;
  }
}

const costLine = (data: RunSnapshot | undefined, labels: Labels, locale: string): string | undefined =>
  data?.cost && labels.money(data.cost.amount, data.cost.currency, locale);
