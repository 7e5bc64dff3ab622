import type { ConnectionState } from './connection-state.ts';
import type { Followed } from './source.ts';
import { Stream } from './stream.ts';

export interface FollowOptions {
  /** Ends the stream, quietly. */
  readonly signal?: AbortSignal;
  /** A cursor to go on after. */
  readonly after?: string;
  readonly fetch?: typeof globalThis.fetch;
}

/**
 * Follows a stream of ours (`…/v1/runs/{id}/stream`, `…/v1/threads/{id}/stream`) over any number of connections: every
 * event of the view once, in order, until the run has ended or `signal` is aborted. Comes back by itself, for ever, with
 * full-jitter back-off that starts anew with all progress. Nothing is read ahead of the reader but what came at once.
 *
 * @throws {TelltaleError} `stream_broken` for holes, resets or frames that make no sense, again and again without
 * anything new; `run_not_found`, `run_deleted`, `thread_not_found` and every other refusal that waiting does not cure.
 *
 * @example
 * for await (const it of follow('http://localhost:4747/v1/runs/r1/stream')) {
 *   if (it.kind === 'event') snapshot = reduce(snapshot, it.event);
 * }
 */
export async function* follow(url: string | URL, options: FollowOptions = {}): AsyncGenerator<Followed, void, void> {
  const { fetch = globalThis.fetch, signal, after } = options;
  const items: Followed[] = [];
  let state: ConnectionState | undefined;
  let news = Promise.withResolvers<void>();
  let taken = Promise.withResolvers<void>();
  const sink = {
    take(more: readonly Followed[]) {
      items.push(...more);
      news.resolve();
      return taken.promise;
    },
    connection(next: ConnectionState) {
      state = next;
      if (next.phase === 'closed') news.resolve();
    },
  };
  const stream = new Stream(new URL(url), sink, { after, fetch, headers: () => ({}) });
  const end = (): void => news.resolve();
  signal?.addEventListener('abort', end);
  try {
    if (!signal?.aborted) stream.open();
    while (!signal?.aborted) {
      await news.promise;
      news = Promise.withResolvers();
      for (const item of items.splice(0)) {
        yield item;
        if (signal?.aborted) return;
      }
      taken.resolve();
      taken = Promise.withResolvers();
      if (state?.phase !== 'closed') continue;
      if (state.error) throw state.error;
      return;
    }
  } finally {
    signal?.removeEventListener('abort', end);
    stream.close();
  }
}
