import { isEnded } from '../protocol/index.ts';
import type { RunRecord } from './log.ts';

/** When the leases of open remote runs run out, as their records say. Times are milliseconds since 1970. */
export class RemoteLeases {
  readonly #leases = new Map<string, { readonly leaseMs: number; readonly endsAt: number }>();

  /** The run is now as its record says. */
  note({ runId, leaseMs, renewedAt, status }: RunRecord): void {
    if (leaseMs === undefined || renewedAt === undefined) return;
    if (isEnded(status)) this.#leases.delete(runId);
    else this.#leases.set(runId, { leaseMs, endsAt: Date.parse(renewedAt) + leaseMs });
  }

  /** The runs whose lease ran out. Each lease begins anew: where its taker fails, another gets it. */
  take(now: number): string[] {
    const taken: string[] = [];
    for (const [runId, { leaseMs, endsAt }] of this.#leases) {
      if (endsAt > now) continue;
      this.#leases.set(runId, { leaseMs, endsAt: now + leaseMs });
      taken.push(runId);
    }
    return taken;
  }

  clear(): void {
    this.#leases.clear();
  }
}
