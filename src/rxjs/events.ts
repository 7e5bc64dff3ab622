import { Observable } from 'rxjs';
import type { Client } from '../client/index.ts';
import { parseCursor, type TelltaleEvent } from '../protocol/index.ts';
import { comeBack } from './from-store.ts';
import { atOnce, type Schedule } from './schedule.ts';

/** A long history is emitted in parts, so that it is never in memory as a whole. */
const BATCH = 1_000;

/**
 * Every event of a run, from its beginning (or after a cursor) to its end: each subscriber gets all of them, once and in
 * order, over the connection that all share. A frame may hold merged deltas (`deltasOf` of `telltale/protocol`). What came
 * together is emitted together, whenever the store shows what is new.
 *
 * Errors as `run$` does, and with `invalid_cursor` where what was emitted turned out void (`stream.reset`).
 *
 * @example
 * events$(client, 'r1').pipe(filter(({ type }) => type === 'tool.called')).subscribe(console.log);
 */
export function events$(
  client: Client,
  runId: string,
  { after, schedule = atOnce }: { readonly after?: string; readonly schedule?: Schedule } = {},
): Observable<TelltaleEvent> {
  return new Observable((subscriber) => {
    const run = client.run(runId);
    const events = run.events(after);
    let seq = parseCursor(after ?? '')?.seq ?? 0;
    let isReading = false;
    let batch: TelltaleEvent[] = [];
    const emit = (end?: () => void): void => {
      const emitted = batch;
      batch = [];
      schedule(() => {
        for (const event of emitted) subscriber.next(event);
        end?.();
      });
    };
    /** Up to what the store shows and no further: whoever waits in `events()` cannot leave. */
    const isBehind = (): boolean => !subscriber.closed && (hasRest() || seq < run.getSnapshot().lastSeq);
    const hasRest = (): boolean => ['closed', 'idle'].includes(run.getSnapshot().connection);
    const read = async (): Promise<void> => {
      if (isReading) return;
      isReading = true;
      try {
        while (isBehind()) {
          const { done, value } = await events.next();
          if (done) return emit(() => subscriber.complete());
          seq = value.seq;
          if (batch.push(value) === BATCH) emit();
        }
        if (batch.length > 0) emit();
        isReading = false;
      } catch (error) {
        emit(() => subscriber.error(error));
      }
    };
    comeBack(run);
    const leave = run.subscribe(read);
    // It may still show how it was before: that nobody was here, or why it gave up.
    const { connection, error } = run.getSnapshot();
    if (connection !== 'idle' && !(connection === 'closed' && error)) void read();
    return () => {
      leave();
      void events.return();
    };
  });
}
