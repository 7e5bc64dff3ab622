/** What the weather is like now, and what it has done. */
export interface WeatherView {
  readonly isSlow: boolean;
  readonly isOffline: boolean;
  /** Events that the next frames will lose. */
  readonly toLose: number;
  readonly hasLost: number;
  readonly drops: number;
}

/** So many bytes, with such a pause behind each: some 2 KB in a second. */
const SLOW = { bytes: 256, pauseMs: 125 };
/** A cursor of a log that never was (PROTOCOL.md section 7: `unknown_epoch`, and `malformed` where several are asked for). */
const ELSEWHERE = 'nowhere.7';
const TERMINAL = /^event: run\.(completed|failed|cancelled)$/m;

/**
 * Bad weather between a page and its server, made on purpose: a `fetch` that cuts, slows and loses what comes. It is the
 * weather of the client that has this `fetch`, and of nobody else.
 *
 * @example
 * const weather = new Weather();
 * const client = createClient({ url, fetch: weather.fetch });
 * weather.drop();
 */
export class Weather {
  readonly #fetch: typeof globalThis.fetch;
  readonly #lines = new Set<() => void>();
  readonly #listeners = new Set<() => void>();
  #view: WeatherView = { isSlow: false, isOffline: false, toLose: 0, hasLost: 0, drops: 0 };
  #isAstray = false;

  constructor(fetch: typeof globalThis.fetch = (...it) => globalThis.fetch(...it)) {
    this.#fetch = fetch;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  readonly getSnapshot = (): WeatherView => this.#view;

  /** Cuts every stream that is open now. */
  drop(): void {
    this.#show({ drops: this.#view.drops + 1 });
    for (const cut of [...this.#lines]) cut();
  }

  /** Keeps the next so many events from the page, but never the end of a run: behind it there may be nothing to tell by. */
  lose(events: number): void {
    this.#show({ toLose: events, hasLost: 0 });
  }

  /** Cuts every stream; the next one asks to go on in a log that never was, as if the server's had been exchanged. */
  goAstray(): void {
    this.#isAstray = true;
    this.drop();
  }

  slow(isSlow: boolean): void {
    this.#show({ isSlow });
  }

  /** Cuts every stream and fails every request for so many milliseconds. */
  offline(ms: number): void {
    this.#show({ isOffline: true });
    this.drop();
    setTimeout(() => this.#show({ isOffline: false }), ms);
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    if (this.#view.isOffline) throw new TypeError('There is no network: made so in this page.');
    const headers = new Headers(init?.headers);
    if (this.#isAstray && headers.has('last-event-id')) {
      this.#isAstray = false;
      headers.set('last-event-id', ELSEWHERE);
    }
    const response = await this.#fetch(input, { ...init, headers });
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
    if (!response.body || !isStream) return response;
    const { status, headers: answered } = response;
    return new Response(this.#through(response.body), { status, headers: answered });
  };

  #show(more: Partial<WeatherView>): void {
    this.#view = { ...this.#view, ...more };
    for (const listener of this.#listeners) listener();
  }

  /** The same stream, in this weather. */
  #through(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    const frames = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
    const encoder = new TextEncoder();
    let rest = '';
    let cut = (): void => {};
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        cut = () => {
          this.#lines.delete(cut);
          controller.error(new TypeError('The connection was dropped in this page.'));
          frames.cancel().catch(() => {});
        };
        this.#lines.add(cut);
      },
      pull: async (controller) => {
        const { done, value } = await frames.read();
        if (done) {
          this.#lines.delete(cut);
          return controller.close();
        }
        // Whole frames: what is lost is never half of one.
        const end = (rest + value).lastIndexOf('\n\n') + 2;
        const whole = end > 1 ? (rest + value).slice(0, end) : '';
        rest = (rest + value).slice(whole.length);
        const bytes = encoder.encode(this.#lost(whole));
        for (let at = 0; at < bytes.length; ) {
          const size = this.#view.isSlow ? SLOW.bytes : bytes.length;
          if (this.#view.isSlow) await new Promise((resolve) => setTimeout(resolve, SLOW.pauseMs));
          controller.enqueue(bytes.subarray(at, at + size));
          at += size;
        }
        // Nothing to give is no reason to be asked again: an empty piece is.
        if (bytes.length === 0) controller.enqueue(bytes);
      },
      cancel: (reason) => {
        this.#lines.delete(cut);
        return frames.cancel(reason);
      },
    });
  }

  /** What is left of frames. */
  #lost(frames: string): string {
    if (this.#view.toLose === 0 || frames === '') return frames;
    return frames
      .split(/(?<=\n\n)/)
      .filter((frame) => {
        if (this.#view.toLose === 0 || !/^id: /m.test(frame)) return true;
        if (TERMINAL.test(frame)) {
          this.#show({ toLose: 0 });
          return true;
        }
        this.#show({ toLose: this.#view.toLose - 1, hasLost: this.#view.hasLost + 1 });
        return false;
      })
      .join('');
  }
}
