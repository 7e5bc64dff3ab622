import type { RunRecord } from './log.ts';

/** A run as lists show it. */
export type RunSummary = Omit<
  RunRecord,
  'owner' | 'tenant' | 'leased' | 'leaseMs' | 'renewedAt' | 'fence' | 'commands' | 'approvals' | 'requestDigest'
>;

/** What a list says of a run. Its owner, tenant and lease are nobody else's business; its commands and questions are in the snapshot. */
export function summaryOf(record: RunRecord): RunSummary {
  const { owner: _owner, tenant: _tenant, leased: _leased, leaseMs: _leaseMs, renewedAt: _renewedAt, ...more } = record;
  const { fence: _fence, commands: _commands, approvals: _approvals, requestDigest: _requestDigest, ...run } = more;
  return run;
}
