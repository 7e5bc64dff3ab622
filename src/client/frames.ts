import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { TelltaleError } from '../protocol/index.ts';
import { ask } from './ask.ts';
import { errorOf, unreachable } from './response.ts';
import type { Transport } from './transport.ts';

/** No frame of a server with the published limits comes near it (in characters). */
const MAX_FRAME = 16 * 1024 * 1024;
/**
 * So many characters are parsed before what they hold is yielded. A browser gives a busy page up to 2 MiB at once, 7,000
 * frames of a history: too much to take before the next paint.
 */
const PIECE = 64 * 1024;
/** In any case, with whatever parameters: the charset is UTF-8 (WHATWG HTML 9.2.5). */
const EVENT_STREAM = /^text\/event-stream\s*(;|$)/i;

export type ServerFrame = Pick<EventSourceMessage, 'event' | 'id' | 'data'>;

/** What brings the frames of one connection, as many at once as came at once; ends where the log does. */
export type Carrier = (url: URL, options: FramesOptions) => AsyncGenerator<readonly ServerFrame[], void, void>;

/** A stream that was asked for before there was somebody to read it. */
export interface Asked {
  readonly response: Promise<Response>;
  abort(): void;
}

export interface FramesOptions extends Transport {
  /** The last id that was taken, if any: what was yielded is taken when more is asked for. */
  readonly cursor: () => string | undefined;
  readonly signal: AbortSignal;
  /** The answer, where it was asked for already. */
  readonly asked?: Asked | undefined;
  /** For how many milliseconds the server may say nothing. */
  readonly patienceMs: () => number;
  /** Makes a reader that was cut, and waits, connect again now. */
  readonly again?: () => void;
  /** The reader has all that there was. */
  readonly isLive?: () => boolean;
  /** The server said how long to wait before coming again, in milliseconds. */
  readonly onRetry: (milliseconds: number) => void;
  /** The server said that it is there: not the comment that every connection begins with. */
  readonly onHeartbeat: () => void;
}

/**
 * The frames of one connection, as many at once as came at once, within reason. Ends where the server has nothing more
 * (204).
 *
 * @throws {TelltaleError} `unreachable` when it could not be made, ended or fell silent; `stream_broken` when
 * what answers is no event stream; the server's own code for a refusal. Throws `signal.reason` once that is aborted.
 */
export async function* readFrames(
  url: URL,
  options: FramesOptions,
): AsyncGenerator<readonly ServerFrame[], void, void> {
  const { asked, patienceMs, onRetry, onHeartbeat } = options;
  const silence = new AbortController();
  const signal = AbortSignal.any([options.signal, silence.signal]);
  /** Only waiting for the server counts: a reader may take its time. */
  const waiting = async <T>(promise: Promise<T>): Promise<T> => {
    const watchdog = setTimeout(() => silence.abort(), patienceMs());
    return promise.finally(() => clearTimeout(watchdog));
  };
  try {
    signal.addEventListener('abort', () => asked?.abort());
    const response = await waiting(asked?.response ?? ask(url, { ...options, cursor: options.cursor(), signal }));
    if (response.status === 204) return;
    // Another success, such as a proxy's own, is no stream either (WHATWG HTML 9.2.3).
    if (response.status !== 200) throw await waiting(errorOf(response));
    const type = response.headers.get('content-type') ?? 'nothing';
    if (!EVENT_STREAM.test(type) || !response.body) {
      throw new TelltaleError('stream_broken', `${url.origin} answered with ${type} instead of an event stream.`);
    }
    let frames: ServerFrame[] = [];
    const parser = createParser({
      onRetry,
      onComment: (comment) => comment.trim().startsWith('heartbeat') && onHeartbeat(),
      onEvent: (frame) => frames.push(frame),
      maxBufferSize: MAX_FRAME,
      onError({ type, message }) {
        if (type === 'max-buffer-size-exceeded') throw new TelltaleError('stream_broken', message);
      },
    });
    // The parser drops the byte order mark; were both to do it, a second one would be lost.
    const decoder = new TextDecoderStream('utf-8', { ignoreBOM: true });
    const reader = response.body.pipeThrough(decoder).getReader();
    for (;;) {
      const { done, value } = await waiting(reader.read());
      if (done) throw unreachable('The connection ended before the log did.');
      for (let at = 0; at < value.length; at += PIECE) {
        parser.feed(value.slice(at, at + PIECE));
        if (frames.length === 0) continue;
        const batch = frames;
        frames = [];
        yield batch;
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
