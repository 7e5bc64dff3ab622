import type { ChatUpdate } from '../../dialects/index.ts';
import { randomId, TelltaleError } from '../../protocol/index.ts';
import { baseOf, below } from '../address.ts';
import { readFrames } from '../frames.ts';
import { reach } from '../response.ts';

export interface StreamChatOptions {
  /** Where the server is; by default the page's own. */
  readonly url?: string | URL;
  /** Of every request: a token, for example. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly fetch?: typeof globalThis.fetch;
}

const TRIES = 3;
const TRY_AGAIN_MS = 3000;
/** Three beats of the server. */
const PATIENCE_MS = 45_000;

/**
 * Asks by POST, so that the question is in no address, and tells the answer as it is written. Resolves when it is whole.
 * Where the connection is cut it goes on, after 3, 6 and 9 seconds; all of it is one run.
 *
 * @example
 * await streamChat('Is my LDL high?', (data) => data.type === 'text' && write(data.content));
 *
 * @throws {TelltaleError} `agent_failed` with the run's message; what the server says; `unreachable` after three tries;
 * `stream_broken` where the log was reset: what was received is void.
 */
export async function streamChat(
  message: string,
  onUpdate: (data: ChatUpdate) => void,
  { url = '/', headers = {}, signal = new AbortController().signal, fetch = globalThis.fetch }: StreamChatOptions = {},
): Promise<void> {
  const address = below(baseOf(url), 'api/chat/message');
  const sent = {
    ...{ 'content-type': 'application/json', accept: 'text/event-stream', 'idempotency-key': randomId(24) },
    ...headers,
  };
  const body = JSON.stringify({ message });
  let lastId = '';
  for (let tries = 0; ; ) {
    const stop = new AbortController();
    const own = { ...sent, ...(lastId && { 'last-event-id': lastId }) };
    const init = { method: 'POST', headers: own, body, signal: AbortSignal.any([signal, stop.signal]) };
    const frames = readFrames(address, {
      ...{ fetch, headers: () => own, cursor: () => lastId, patienceMs: () => PATIENCE_MS },
      ...{ signal, asked: { response: reach(address, init, fetch), abort: () => stop.abort() } },
      ...{ onRetry: () => {}, onHeartbeat: () => {} },
    });
    try {
      for await (const batch of frames) {
        for (const { event, id, data } of batch) {
          signal.throwIfAborted();
          const told = JSON.parse(data);
          if (event === 'done') return;
          if (event === 'error') throw new TelltaleError('agent_failed', told.error, { failure: told.code });
          if (told.reset) throw new TelltaleError('stream_broken', `The answer begins anew: ${told.reset}.`);
          if (event !== 'message') continue;
          tries = 0;
          lastId = id ?? lastId;
          onUpdate(told);
        }
      }
      return;
    } catch (error) {
      if (TelltaleError.from(error).code !== 'unreachable' || tries === TRIES) throw error;
      await pause(TRY_AGAIN_MS * ++tries, signal);
    }
  }
}

const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
