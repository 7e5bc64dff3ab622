import { createClient } from 'telltale/client';
import { Replay } from 'telltale/client/replay';
import { percentile } from '../measure/statistics.ts';

const SEEKS = 500;

/** How fast a run is shown as it stood at any of its events, in milliseconds. */
export interface Scrubbed {
  readonly p50: number;
  readonly p99: number;
}

/** Goes to events all over a run, once everything of it is here. In Node: what a page paints of it is not in this. */
export async function scrub(url: string, runId: string, events: number): Promise<Scrubbed> {
  const client = createClient({ url });
  const replay = new Replay(client.run(runId, { from: 'snapshot' }));
  try {
    replay.open();
    await new Promise<void>((resolve) => {
      const leave = replay.subscribe(() => {
        if (replay.getSnapshot().loaded < events) return;
        leave();
        resolve();
      });
    });
    const took: number[] = [];
    for (let i = 0; i < SEEKS; i++) {
      // All over the run, never the same twice in a row.
      const seq = 1 + ((i * 7_919_317) % events);
      const start = performance.now();
      const at = replay.at(seq);
      took.push(performance.now() - start);
      if (at.seq !== seq) throw new Error(`Asked for event ${seq}, shown was ${at.seq}.`);
    }
    return { p50: percentile(took, 50), p99: percentile(took, 99) };
  } finally {
    replay.close();
    client.close();
  }
}
