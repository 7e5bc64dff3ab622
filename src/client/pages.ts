/** A log as pages of JSON, told in the frames of a stream: what takes a stream's frames takes these. */
import { formatCursor, parseCursor, TelltaleError, type TelltaleEvent } from '../protocol/index.ts';
import { withQuery } from './address.ts';
import type { FramesOptions, ServerFrame } from './frames.ts';
import type { EventPage } from './requests.ts';
import { errorOf, reach, unreachable } from './response.ts';
import { headersOf, type Transport } from './transport.ts';

/** Below what proxies take for too long an answer (many cut after 30 s). */
const WAIT_S = 25;
/** An answer is given up when it is so much later than it should be. */
const LATE_MS = 10_000;

type PagesOptions = Pick<FramesOptions, 'cursor' | 'headers' | 'fetch' | 'signal'>;

interface ThreadHead {
  readonly threadId: string;
  readonly epoch: string;
  readonly earliest: number;
  readonly latest: number;
}

/** Asks for one event. @throws {TelltaleError} where there is no page of this stream's log. */
export async function answers(stream: URL, options: Transport & { readonly signal?: AbortSignal }): Promise<void> {
  const { fetch, headers, signal = new AbortController().signal } = options;
  await new Pages(stream, { cursor: () => undefined, headers, fetch, signal }).events({ limit: 1 });
}

/**
 * Everything after the cursor; at its end it goes on with what comes, as a stream does, or ends with `stream.caught-up`
 * where it does not `follow`.
 *
 * @throws as `readFrames` does.
 */
export async function* readPages(
  stream: URL,
  options: PagesOptions,
  follow: boolean,
): AsyncGenerator<readonly ServerFrame[], void, void> {
  const pages = new Pages(stream, options);
  yield [frame('stream.hello', { ...(await pages.head()), ...pages.run, heartbeatMs: WAIT_S * 1000 })];
  if (stream.searchParams.get('from') === 'snapshot' && options.cursor() === undefined) {
    const { cursor, ...snapshot } = await pages.snapshot();
    yield [frame('stream.snapshot', snapshot, cursor)];
  }
  let isLive = false;
  for (;;) {
    const after = options.cursor();
    let page: EventPage;
    try {
      page = await pages.events({ after, limit: 1000, ...(isLive && { wait: WAIT_S }) });
    } catch (error) {
      const { code, particulars } = TelltaleError.from(error);
      if (code !== 'invalid_cursor') throw error;
      // A page has no other way to say that what the viewer holds is void.
      const from = Number(particulars.earliest) - 1;
      yield [frame('stream.reset', { ...particulars, after: from }, formatCursor((await pages.head()).epoch, from))];
      isLive = false;
      continue;
    }
    const frames = framesOf(page, after);
    if (frames.length > 0) yield frames;
    if (page.ended) return yield [frame('stream.bye', { reason: 'ended' })];
    if (page.more || isLive) continue;
    yield [frame('stream.caught-up', { seq: parseCursor(page.cursor)?.seq })];
    if (!follow) return;
    isLive = true;
  }
}

/** The requests for the log of one stream. */
class Pages {
  /** The run whose log it is, if it is one's. */
  readonly run: { readonly runId?: string };
  readonly #options: PagesOptions;
  readonly #thing: URL;
  #threadId: string | undefined;

  constructor(stream: URL, options: PagesOptions) {
    this.#options = options;
    this.#thing = new URL('.', stream);
    const [root, id = ''] = this.#thing.pathname.split('/').slice(-3, -1);
    this.run = root === 'runs' ? { runId: id } : {};
    if (root !== 'runs') this.#threadId = id;
  }

  events(query: { after?: string | undefined; limit: number; wait?: number }): Promise<EventPage> {
    return this.#get(withQuery(new URL('events', this.#thing), query), (query.wait ?? 0) * 1000);
  }

  snapshot(): Promise<{ readonly cursor: string }> {
    const url = new URL(this.#thing);
    url.pathname = url.pathname.slice(0, -1);
    return this.#get(url);
  }

  async head(): Promise<ThreadHead> {
    this.#threadId ??= (await this.events({ limit: 1 })).events[0]?.threadId ?? this.run.runId;
    const { threadId, epoch, earliest, latest } = await this.#get<ThreadHead>(
      new URL(`../../threads/${this.#threadId}`, this.#thing),
    );
    return { threadId, epoch, earliest, latest };
  }

  async #get<T>(url: URL, waitMs = 0): Promise<T> {
    const { fetch, signal } = this.#options;
    const headers = await headersOf(this.#options);
    headers.set('accept', 'application/json');
    const limit = AbortSignal.any([signal, AbortSignal.timeout(waitMs + LATE_MS)]);
    try {
      const response = await reach(url, { headers, signal: limit, cache: 'no-store' }, fetch);
      if (!response.ok) throw await errorOf(response);
      return (await response.json()) as T;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof TelltaleError) throw error;
      throw unreachable('The server fell silent.', error);
    }
  }
}

const frame = (event: string, data: object, id?: string): ServerFrame => ({ event, id, data: JSON.stringify(data) });

/** A page leaves nothing out: where its numbers jump, what is between is not for this view. */
function framesOf({ events, cursor }: EventPage, after: string | undefined): ServerFrame[] {
  let last = after === undefined ? undefined : parseCursor(after)?.seq;
  const frames = events.map((event: TelltaleEvent) => {
    const { seq, epoch, type } = event;
    const prev = last === undefined || last === seq - 1 ? {} : { prev: last };
    last = seq;
    return frame(type, { ...event, ...prev }, formatCursor(epoch, seq));
  });
  const seq = parseCursor(cursor)?.seq;
  if (seq !== last) frames.push(frame('stream.progress', { seq }, cursor));
  return frames;
}
