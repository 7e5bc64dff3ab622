import type { Log } from '../log/index.ts';
import { LEASE_MS, TelltaleError } from '../protocol/index.ts';

export interface LeaseOptions {
  readonly log: Log;
  readonly runId: string;
  readonly fence: number;
  /** When the lease was last renewed by an append; `performance.now()`. */
  readonly lastAckAt: () => number;
  /** The lease has passed on, or the run is ended or gone: nothing of it is ours any more. */
  readonly onLost: () => void;
}

const EVERY_MS = LEASE_MS / 3;

/** Keeps a lease while the run has nothing to say. Returns how to stop. */
export function keepLease({ log, runId, fence, lastAckAt, onLost }: LeaseOptions): () => void {
  const timer = setInterval(() => {
    if (performance.now() - lastAckAt() < EVERY_MS) return;
    log.leases.renew(runId, fence).catch((error: unknown) => {
      // A log that is away says nothing about the lease; the next round, or the next append, will know.
      if (!TelltaleError.from(error).retryable) onLost();
    });
  }, EVERY_MS);
  return () => clearInterval(timer);
}
