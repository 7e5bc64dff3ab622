import type { RunRecord } from './log.ts';
import type { RunDetails } from './run-details.ts';

/** A run as lists show it. */
export interface RunSummary
  extends RunDetails,
    Omit<
      RunRecord,
      'owner' | 'tenant' | 'leased' | 'leaseMs' | 'renewedAt' | 'fence' | 'commands' | 'approvals' | 'requestDigest'
    > {
  /** How many of its questions wait for an answer; absent where there is none. */
  readonly waiting?: number;
}

/**
 * What a list says of a run: what the index knows, and what is known of its events. Its owner, tenant and lease are nobody
 * else's business; its commands and questions are in the snapshot.
 */
export function summaryOf(record: RunRecord, details: RunDetails = {}): RunSummary {
  const { owner: _owner, tenant: _tenant, leased: _leased, leaseMs: _leaseMs, renewedAt, ...more } = record;
  const { fence: _fence, commands: _commands, approvals, requestDigest: _requestDigest, ...run } = more;
  const lastAt = run.endedAt ?? renewedAt ?? details.lastAt;
  return {
    ...run,
    ...details,
    ...(lastAt !== undefined && { lastAt }),
    ...(approvals && { waiting: approvals.length }),
  };
}
