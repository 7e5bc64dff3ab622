/**
 * What the chat front end of another system does, with its limits: one listener for each name, JSON or nothing, and three
 * tries of its own, without an id, when EventSource has given up. A browser's cookies are kept beside it.
 */
import { EventSource } from 'eventsource';

export interface Told {
  readonly type?: string;
  readonly content?: string;
  readonly [more: string]: unknown;
}

/** The cookies of one browser. */
export class Browser {
  cookie = '';

  readonly fetch = async (url: string | URL, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers);
    if (this.cookie) headers.set('cookie', this.cookie);
    const answer = await fetch(url, { ...init, headers });
    const [set] = answer.headers.getSetCookie();
    if (set) this.cookie = set.split(';')[0]!;
    return answer;
  };
}

/** A page that asks by GET. */
export class ChatPage {
  readonly messages: Told[] = [];
  /** `connect`, `complete`, `error`, as its handlers were called. */
  readonly calls: string[] = [];
  /** Of each answer, whatever came of it. */
  readonly statuses: number[] = [];
  readonly #url: string;
  readonly #browser: Browser;
  #source: EventSource | undefined;
  #attempts = 0;

  /** What stands in front of the server answers the n-th connection, from 0, with this status. */
  readonly inFront: (connection: number) => number | undefined;

  constructor(url: string, browser = new Browser(), inFront: (n: number) => number | undefined = () => undefined) {
    this.#url = url;
    this.#browser = browser;
    this.inFront = inFront;
  }

  get text(): string {
    return this.messages.map(({ type, content }) => (type === 'text' ? content : '')).join('');
  }

  connect(message: string): void {
    const source = new EventSource(`${this.#url}/api/chat/stream?message=${encodeURIComponent(message)}`, {
      fetch: (url, init) => this.#fetch(url, init as RequestInit),
    });
    this.#source = source;
    source.addEventListener('message', ({ data }) => this.messages.push(JSON.parse(data)));
    source.addEventListener('connected', () => {
      this.#attempts = 0;
      this.calls.push('connect');
    });
    source.addEventListener('done', () => {
      this.calls.push('complete');
      this.disconnect();
    });
    source.addEventListener('error', () => {
      if (source.readyState !== source.CLOSED) return;
      this.calls.push('error');
      if (this.#attempts >= 3) return;
      this.#attempts++;
      setTimeout(() => this.connect(message), 3000 * this.#attempts);
    });
  }

  disconnect(): void {
    this.#source?.close();
    this.#source = undefined;
  }

  async #fetch(url: string | URL, init: RequestInit): Promise<Response> {
    const status = this.inFront(this.statuses.length);
    const answer = status === undefined ? await this.#browser.fetch(url, init) : new Response(null, { status });
    this.statuses.push(answer.status);
    return answer;
  }
}

/** The same page by POST: its own parser, which knows `event: ` and `data: ` with the space, and LF. */
export async function askByPost(url: string, message: string, onUpdate: (told: Told) => void): Promise<void> {
  const response = await fetch(`${url}/api/chat/message`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ message }),
  });
  if (!response.ok) throw new Error('Failed to start stream');
  let buffer = '';
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    buffer += piece;
    const frames = buffer.split('\n\n');
    buffer = frames.pop() ?? '';
    for (const frame of frames) {
      const data = frame.split('\n').findLast((line) => line.startsWith('data: '));
      if (data) onUpdate(JSON.parse(data.slice(6)));
    }
  }
}
