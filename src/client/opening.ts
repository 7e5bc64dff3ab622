/**
 * A stream of which the code comes while the server answers: the first request is made here, and handed to `Stream`, which
 * makes all others. So a page ships what opens a connection, and not what keeps it.
 */
import { TelltaleError } from '../protocol/index.ts';
import { ask } from './ask.ts';
import { type ConnectionState, IDLE, RETRY_MS, rests } from './connection-state.ts';
import { part } from './part.ts';
import type { Sink, Source } from './source.ts';
import type { Movable, Stream, StreamOptions } from './stream.ts';

/** Before the code is asked for again: anywhere up to `RETRY_MS`, doubled each time up to at most so many milliseconds. */
const MAX_RETRY_MS = 30_000;

export function opening(url: URL, to: Sink, options: StreamOptions): Source {
  const { after: cursor, maxAttempts = Number.POSITIVE_INFINITY, way } = options;
  const self: Movable = { move: () => stream?.move() };
  const sink: Sink = {
    ...to,
    connection(state) {
      if (rests(state)) way?.streams.delete(self);
      else way?.streams.add(self);
      to.connection(state);
    },
  };
  let stream: Stream | undefined;
  let isOpen = false;
  let attempt = 0;
  let trying: AbortController | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const tell = (more: Partial<ConnectionState>): void => sink.connection({ ...IDLE, ...more });

  function stop(): void {
    clearTimeout(timer);
    trying?.abort();
    trying = undefined;
  }

  async function load(): Promise<void> {
    stop();
    const own = new AbortController();
    trying = own;
    isOpen = true;
    if (attempt === 0) tell({ phase: 'connecting' });
    // Of several only the first: the others may come over one connection.
    const isDirect = !way || (!way.carrier && way.streams.size === 1);
    const response = isDirect ? ask(url, { ...options, cursor, signal: own.signal }) : undefined;
    // Told by who reads it.
    response?.catch(() => {});
    try {
      const { Stream } = await part(import('./stream.ts'));
      if (trying !== own) return;
      trying = undefined;
      stream = new Stream(url, sink, {
        ...options,
        ...(response && { asked: { response, abort: () => own.abort() } }),
      });
      stream.open();
    } catch (thrown) {
      if (trying === own) fail(TelltaleError.from(thrown));
    }
  }

  function fail(error: TelltaleError): void {
    stop();
    if (attempt++ >= maxAttempts) {
      tell({ phase: 'closed', attempt, error });
      return;
    }
    const retryMs = Math.random() * Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** (attempt - 1));
    timer = setTimeout(load, retryMs);
    sink.take([{ kind: 'disconnected', error, attempt, retryMs: Math.round(retryMs) }]);
    tell({ phase: 'reconnecting', attempt, error, retryAt: Date.now() + retryMs });
  }

  return {
    open() {
      if (stream) stream.open();
      else if (!isOpen) void load();
    },
    reconnect() {
      attempt = 0;
      if (stream) stream.reconnect();
      else if (isOpen) void load();
    },
    close() {
      stream?.close();
      if (stream || !isOpen) return;
      stop();
      isOpen = false;
      attempt = 0;
      tell({});
    },
  };
}
