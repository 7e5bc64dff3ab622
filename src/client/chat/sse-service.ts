import type { ChatUpdate } from '../../dialects/index.ts';
import { baseOf, below } from '../address.ts';

/** What a page does with an answer. */
export interface SSEHandlers {
  readonly onMessage?: (data: ChatUpdate) => void;
  /** Connected, each time. */
  readonly onConnect?: () => void;
  /** The answer is whole. */
  readonly onComplete?: () => void;
  /** The run failed, with its message; or `Connection closed`, after which it is tried again, three times. */
  readonly onError?: (error: string) => void;
  /** What was received is void: all of it follows again. */
  readonly onReset?: () => void;
}

export interface SSEServiceOptions {
  /** Where the server is; by default the page's own. */
  readonly url?: string;
  /** Instead of the platform's, which Node does not have. */
  readonly EventSource?: new (
    url: string,
  ) => EventSource;
}

/** EventSource comes back by itself; where it gives up, so often is tried, after 3, 6 and 9 seconds. */
const TRIES = 3;
const TRY_AGAIN_MS = 3000;

/**
 * One question at a time, and its answer as it is written: each part once, whatever is cut.
 *
 * @example
 * const sse = new SSEService();
 * sse.connect('Is my LDL high?', { onMessage: (data) => console.log(data), onComplete: () => console.log('Complete') });
 */
export class SSEService {
  readonly #url: string;
  readonly #EventSource: new (
    url: string,
  ) => EventSource;
  #source: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempts = 0;
  /** Of the last part that was received: a try goes on after it. */
  #lastId = '';

  constructor({ url = '/', EventSource = globalThis.EventSource }: SSEServiceOptions = {}) {
    this.#url = url;
    this.#EventSource = EventSource;
  }

  /**
   * Asks, and lets go of the question before.
   *
   * @throws {TelltaleError} `invalid_option` for a `url` that is none.
   */
  connect(message: string, handlers: SSEHandlers): void {
    this.disconnect();
    this.#attempts = 0;
    this.#lastId = '';
    this.#open(message, handlers);
  }

  /** Lets go of the answer; the run goes on. */
  disconnect(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = undefined;
  }

  #open(message: string, handlers: SSEHandlers): void {
    const after = this.#lastId === '' ? '' : `&after=${this.#lastId}`;
    const address = below(baseOf(this.#url), 'api/chat/stream');
    address.search = `?message=${encodeURIComponent(message)}${after}`;
    const source = new this.#EventSource(address.href);
    this.#source = source;
    source.addEventListener('connected', (event) => {
      this.#attempts = 0;
      if ('reset' in JSON.parse(event.data)) handlers.onReset?.();
      handlers.onConnect?.();
    });
    source.addEventListener('message', (event) => {
      this.#lastId = event.lastEventId;
      handlers.onMessage?.(JSON.parse(event.data));
    });
    source.addEventListener('done', () => {
      this.disconnect();
      handlers.onComplete?.();
    });
    source.addEventListener('error', (event) => {
      // The connection's own errors have no data.
      if ('data' in event && event.data !== undefined) {
        this.disconnect();
        handlers.onError?.(JSON.parse(event.data as string).error);
      } else if (source.readyState === source.CLOSED && this.#source === source) {
        if (this.#attempts < TRIES) {
          const open = () => this.#open(message, handlers);
          this.#timer = setTimeout(open, TRY_AGAIN_MS * ++this.#attempts);
        }
        handlers.onError?.('Connection closed');
      }
    });
  }
}
