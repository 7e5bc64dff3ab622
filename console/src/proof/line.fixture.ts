import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What lies between a page and its server: it carries everything, and its streams as a test says. */
export class Line {
  readonly url: string;
  readonly #answers = new Set<ServerResponse>();
  #room = Number.POSITIVE_INFINITY;
  #isDown = false;
  #isClosed = false;
  #wake = Promise.withResolvers<void>();
  readonly close: () => void;

  private constructor(url: string, close: () => void) {
    this.url = url;
    this.close = close;
  }

  /** @param target of the server, asked for with each request: it may be started anew elsewhere. */
  static async open(target: () => string): Promise<Line> {
    let line: Line;
    const server = createServer((incoming, outgoing) => line.#carry(target(), incoming, outgoing));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    line = new Line(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, () => {
      line.#isClosed = true;
      line.#change();
      server.closeAllConnections();
      server.close();
    });
    return line;
  }

  /** Streams get so many bytes more, together, and then nothing: not even an answer, where nothing has come yet. */
  let(bytes: number): void {
    this.#room = bytes;
    this.#change();
  }

  /** Nothing reaches the server any more, and what is under way breaks off, until it is mended. */
  cut(): void {
    this.#isDown = true;
    for (const answer of this.#answers) answer.destroy();
  }

  mend(): void {
    this.#isDown = false;
  }

  #change(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  async #carry(target: string, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method, url, headers } = incoming;
    const isStream = headers.accept?.includes('text/event-stream') ?? false;
    if (this.#isDown) return void outgoing.destroy();
    const upstream = request(target + url, { method, headers });
    outgoing.once('close', () => {
      this.#answers.delete(outgoing);
      upstream.destroy();
    });
    upstream.once('error', () => outgoing.destroy());
    this.#answers.add(outgoing);
    incoming.pipe(upstream);
    const [answer] = (await once(upstream, 'response').catch(() => [])) as [IncomingMessage?];
    if (!answer) return;
    outgoing.on('error', () => {});
    const pieces = isStream ? this.#metered(answer) : answer;
    try {
      for await (const piece of pieces) {
        if (outgoing.destroyed) return;
        if (!outgoing.headersSent) outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        outgoing.write(piece);
      }
      if (!outgoing.headersSent) outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      outgoing.end();
    } catch {
      outgoing.destroy();
    }
  }

  async *#metered(answer: IncomingMessage): AsyncGenerator<Buffer> {
    for await (const piece of answer as AsyncIterable<Buffer>) {
      for (let at = 0; at < piece.length; ) {
        while (this.#room === 0 && !this.#isClosed) await this.#wake.promise;
        const end = Math.min(piece.length, at + this.#room);
        this.#room -= end - at;
        yield piece.subarray(at, end);
        at = end;
      }
    }
  }
}
