import { TelltaleError } from '../protocol/index.ts';

export interface Line {
  /** Counted from 1, blank ones too. */
  readonly number: number;
  readonly bytes: Uint8Array;
}

export interface IntakeLimits {
  /** Bytes of one line. A longer one is refused before the rest of it is read. */
  readonly lineBytes: number;
  /** Lines and bytes that are taken at once. */
  readonly batchLines: number;
  readonly batchBytes: number;
  /** Milliseconds without a byte after which the sender counts as gone. */
  readonly idleMs: number;
}

/** So many bytes may wait to be taken; then nothing more is read, and the sender's connection fills. */
const AHEAD_BYTES = 1024 * 1024;

/**
 * The lines of a body, in order. It reads on while earlier lines are being stored, so that what comes meanwhile is one
 * batch. Blank lines are left out; a line that does not end with LF is none.
 */
export class LineIntake {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #limits: IntakeLimits;
  readonly #lines: Line[] = [];
  /** Bytes of `#lines`. */
  #waiting = 0;
  /** The line that is still coming in. */
  #open: Uint8Array[] = [];
  #openBytes = 0;
  #number = 1;
  #end: { readonly error?: unknown } | undefined;
  /** Made for whoever waits. */
  #changed: PromiseWithResolvers<void> | undefined;
  /** One timer for the whole body: a body that goes on is thousands of chunks. */
  readonly #silence: NodeJS.Timeout;
  #reading = false;

  constructor(body: ReadableStream<Uint8Array>, limits: IntakeLimits) {
    this.#reader = body.getReader();
    this.#limits = limits;
    this.#silence = setTimeout(() => this.#onSilence(), limits.idleMs);
    void this.#read();
  }

  /**
   * The lines that came in since the last call, as many as the limits allow; waits for one. None: the body has ended.
   *
   * @throws {TelltaleError} after the lines before it, what ended the body: `event_too_large`, `request_timeout`,
   * `invalid_request` (broken off, or a last line without its end).
   */
  async take(): Promise<readonly Line[]> {
    while (this.#lines.length === 0) {
      if (this.#end && 'error' in this.#end) throw this.#end.error;
      if (this.#end) return [];
      await this.#nextChange();
    }
    const { batchLines, batchBytes } = this.#limits;
    let count = 0;
    let bytes = 0;
    for (const line of this.#lines) {
      if (count === batchLines || (count > 0 && bytes + line.bytes.length > batchBytes)) break;
      bytes += line.bytes.length;
      count++;
    }
    this.#waiting -= bytes;
    this.#change();
    return this.#lines.splice(0, count);
  }

  /** Reads no more. */
  close(): void {
    this.#end ??= {};
    clearTimeout(this.#silence);
    this.#change();
    this.#reader.cancel().catch(() => undefined);
  }

  async #read(): Promise<void> {
    try {
      while (!this.#end) {
        if (this.#waiting > AHEAD_BYTES) await this.#nextChange();
        else if (!this.#split(await this.#chunk())) break;
      }
      this.#end ??= {};
    } catch (error) {
      this.#end ??= { error };
    }
    clearTimeout(this.#silence);
    this.#change();
  }

  /** `undefined` at the end of the body. */
  async #chunk(): Promise<Uint8Array | undefined> {
    this.#silence.refresh();
    this.#reading = true;
    try {
      return (await this.#reader.read()).value;
    } catch (cause) {
      throw new TelltaleError('invalid_request', 'The body broke off before its end.', {}, { cause });
    } finally {
      this.#reading = false;
    }
  }

  /** While nothing is read, the silence is ours. */
  #onSilence(): void {
    if (!this.#reading) return;
    const { idleMs } = this.#limits;
    const detail = `No byte came for ${idleMs} ms. Send a blank line from time to time while there is nothing to tell.`;
    this.#end ??= { error: new TelltaleError('request_timeout', detail, { idleMs }) };
    this.#change();
  }

  /** False at the end of the body. */
  #split(chunk: Uint8Array | undefined): boolean {
    if (!chunk) {
      if (this.#openBytes === 0) return false;
      const detail = `Line ${this.#number} has no line feed at its end, so it may be torn: it was not stored.`;
      throw new TelltaleError('invalid_request', detail, { line: this.#number });
    }
    let start = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
      this.#add(chunk.subarray(start, end));
      this.#finishLine();
      start = end + 1;
    }
    this.#add(chunk.subarray(start));
    if (this.#lines.length > 0) this.#change();
    return true;
  }

  #add(part: Uint8Array): void {
    if (part.length === 0) return;
    this.#open.push(part);
    this.#openBytes += part.length;
    const { lineBytes } = this.#limits;
    if (this.#openBytes <= lineBytes) return;
    const detail = `Line ${this.#number} has more than ${lineBytes} bytes. Shorten the event, or store it elsewhere and send a link.`;
    throw new TelltaleError('event_too_large', detail, { line: this.#number, maxBytes: lineBytes });
  }

  #finishLine(): void {
    const bytes = this.#open.length === 1 ? (this.#open[0] as Uint8Array) : Buffer.concat(this.#open);
    const number = this.#number++;
    this.#open = [];
    this.#openBytes = 0;
    if (bytes.every((byte) => byte === SPACE || byte === TAB || byte === CR)) return;
    this.#lines.push({ number, bytes });
    this.#waiting += bytes.length;
  }

  #nextChange(): Promise<void> {
    this.#changed ??= Promise.withResolvers();
    return this.#changed.promise;
  }

  #change(): void {
    this.#changed?.resolve();
    this.#changed = undefined;
  }
}

const [TAB, LF, CR, SPACE] = [9, 10, 13, 32];
