import { digest, formatPart, parseCursor, streamKey, TelltaleError } from '../protocol/index.ts';
import type { FramesOptions, ServerFrame } from './frames.ts';

/** What a stream is told next. */
type Told =
  | { readonly frames: readonly ServerFrame[] }
  | { readonly failure: unknown }
  /** Its log has nothing more; or it has to ask for itself. */
  | 'end'
  | 'leave';

/** One stream of those that share a connection. */
export class Rider {
  /** `run:<id>` or `thread:<id>`. */
  readonly name: string;
  readonly key: string;
  readonly options: FramesOptions;
  /** The server sends nothing more of it. */
  isOver = false;
  /** Epochs by their digests, which is all that a composite cursor has of them. */
  readonly #epochs = new Map<string, string>();
  readonly #told: Told[] = [];
  #news = Promise.withResolvers<void>();
  #taken: PromiseWithResolvers<void> | undefined;
  #isGone = false;

  constructor(name: string, options: FramesOptions) {
    this.name = name;
    this.key = streamKey(name);
    this.options = options;
    options.signal.addEventListener('abort', () => this.#news.resolve());
  }

  /** Its part of the composite cursor; nothing before it has a place. */
  part(): string {
    const cursor = parseCursor(this.options.cursor() ?? '');
    if (!cursor) return '';
    return formatPart({ ...cursor, key: this.key, epoch: this.#know(cursor.epoch) });
  }

  /** Resolves when they are taken, or never will be. */
  give(frames: readonly ServerFrame[]): Promise<void> {
    if (this.#isGone) return Promise.resolve();
    const own: ServerFrame[] = [];
    for (const frame of frames) {
      const { event, id, data } = frame;
      if (event === 'stream.refused') {
        this.isOver = true;
        void this.#tell({ frames: own });
        return this.#tell({ failure: TelltaleError.fromProblem(JSON.parse(data), 'unreachable') });
      }
      if (event === 'stream.hello') {
        this.#know((JSON.parse(data) as { epoch: string }).epoch);
        // A connection that was opened anew for the sake of others is no news.
        if (this.options.isLive?.()) continue;
      }
      if (event === 'stream.ended') this.isOver = true;
      const cursor = id === undefined ? undefined : this.#cursorOf(id, data);
      // It names an epoch that is told nowhere here.
      if (id !== undefined && cursor === undefined) {
        void this.#tell({ frames: own });
        return this.#tell('leave');
      }
      own.push({ event: event === 'stream.ended' ? 'stream.bye' : event, id: cursor, data });
    }
    return this.#tell({ frames: own });
  }

  end(): void {
    void this.#tell('end');
  }

  leave(): void {
    void this.#tell('leave');
  }

  fail(failure: unknown): void {
    void this.#tell({ failure });
  }

  /** What it is told; true where it has to ask for itself. */
  async *frames(): AsyncGenerator<readonly ServerFrame[], boolean, void> {
    const { signal } = this.options;
    try {
      for (;;) {
        signal.throwIfAborted();
        const told = this.#told.shift();
        if (told === 'end') return false;
        if (told === 'leave') return true;
        if (told && 'failure' in told) throw told.failure;
        if (told) {
          if (told.frames.length > 0) yield told.frames;
          continue;
        }
        this.#take();
        await this.#news.promise;
        this.#news = Promise.withResolvers();
      }
    } finally {
      this.#isGone = true;
      this.#take();
    }
  }

  #take(): void {
    this.#taken?.resolve();
    this.#taken = undefined;
  }

  #tell(told: Told): Promise<void> {
    if (this.#isGone) return Promise.resolve();
    this.#told.push(told);
    this.#taken ??= Promise.withResolvers();
    this.#news.resolve();
    return this.#taken.promise;
  }

  #know(epoch: string): string {
    const short = digest(epoch);
    this.#epochs.set(short, epoch);
    return short;
  }

  /** The cursor that a composite one stands for: its first part is that of the frame's own stream. */
  #cursorOf(id: string, data: string): string | undefined {
    const [, short = '', rest = ''] = /^~.{5}(.{5})(\.[\d.]+)/.exec(id) ?? [];
    if (!this.#epochs.has(short)) this.#know(/"epoch":"([\w-]+)"/.exec(data)?.[1] ?? '');
    const epoch = this.#epochs.get(short);
    return epoch && epoch + rest;
  }
}
