import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { HEARTBEAT_MS, type StreamHello, TelltaleError } from '../protocol/index.ts';
import { errorOf, reach, unreachable } from './response.ts';

/** No frame of a server with the published limits comes near it (in characters). */
const MAX_FRAME = 16 * 1024 * 1024;
/** A server that said nothing for this many heartbeats is gone, whatever the socket says. */
const PATIENCE = 2.5;

export interface ConnectionOptions {
  /** The last id received, if any. */
  readonly cursor: string | undefined;
  readonly signal: AbortSignal;
  readonly fetch: typeof globalThis.fetch;
  /** The server said how long to wait before coming again, in milliseconds. */
  readonly onRetry: (milliseconds: number) => void;
}

/**
 * The frames of one connection. Returns `done` where the server has nothing more (204), `cut` where the body ended.
 *
 * @throws {TelltaleError} `unreachable` when it could not be made, was broken off or fell silent; `stream_broken` when
 * what answers is no event stream; the server's own code for a refusal. Throws `signal.reason` once that is aborted.
 */
export async function* connect(
  url: URL,
  options: ConnectionOptions,
): AsyncGenerator<EventSourceMessage, 'cut' | 'done'> {
  const { cursor, fetch, onRetry } = options;
  const silence = new AbortController();
  const signal = AbortSignal.any([options.signal, silence.signal]);
  let patience = PATIENCE * HEARTBEAT_MS;
  /** Only waiting for the server counts: a reader may take its time. */
  const waiting = async <T>(promise: Promise<T>): Promise<T> => {
    const watchdog = setTimeout(() => silence.abort(), patience);
    return promise.finally(() => clearTimeout(watchdog));
  };
  try {
    const headers = { accept: 'text/event-stream', ...(cursor !== undefined && { 'last-event-id': cursor }) };
    const response = await waiting(reach(url, { headers, signal, cache: 'no-store' }, fetch));
    if (response.status === 204) return 'done';
    if (!response.ok) throw await errorOf(response);
    const type = response.headers.get('content-type') ?? 'nothing';
    if (!type.startsWith('text/event-stream') || !response.body) {
      throw new TelltaleError('stream_broken', `${url.origin} answered with ${type} instead of an event stream.`);
    }
    const frames: EventSourceMessage[] = [];
    const parser = createParser({
      onRetry,
      onEvent: (frame) => frames.push(frame),
      maxBufferSize: MAX_FRAME,
      onError({ type, message }) {
        if (type === 'max-buffer-size-exceeded') throw new TelltaleError('stream_broken', message);
      },
    });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await waiting(reader.read());
      if (done) return 'cut';
      parser.feed(value);
      for (const frame of frames.splice(0)) {
        if (frame.event === 'stream.hello') {
          const { heartbeatMs } = readData(frame.data) as StreamHello;
          if (heartbeatMs > 0) patience = PATIENCE * heartbeatMs;
        }
        yield frame;
      }
    }
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof TelltaleError) throw error;
    throw unreachable(silence.signal.aborted ? 'The server fell silent.' : 'The connection was cut.', error);
  } finally {
    // Lets go of the socket where the reader went away, or where a frame was refused.
    silence.abort();
  }
}

/** The object in a frame's data. @throws {TelltaleError} `stream_broken` when there is none. */
export function readData(data: string): object {
  try {
    const value: unknown = JSON.parse(data);
    if (typeof value === 'object' && value !== null) return value;
  } catch {}
  throw new TelltaleError('stream_broken', 'A frame is not JSON.', { frame: data.slice(0, 200) });
}
