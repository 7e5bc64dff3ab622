/** Clients of a stream over real sockets. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { RecordedViewer } from '../hub/recording.fixture.ts';

/** Opens one request without a pool behind it; resolves with the answer's head. */
export async function get(
  url: string,
  { headers = {}, method = 'GET' }: { headers?: Record<string, string>; method?: string } = {},
): Promise<IncomingMessage> {
  const asked = request(url, { headers, method, agent: false });
  // A connection that breaks later is told by the answer too; before it, `once` rejects.
  asked.on('error', () => {});
  asked.end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return answer;
}

/** Reads an answer to its end, or to where the connection breaks. */
export async function read(answer: IncomingMessage, onText: (text: string) => void = () => {}): Promise<string> {
  answer.setEncoding('utf8');
  let all = '';
  answer.on('data', (text: string) => {
    all += text;
    onText(text);
  });
  answer.on('error', () => {});
  if (!answer.closed) await once(answer, 'close').catch(() => {});
  return all;
}

type ConnectedViewer = Pick<RecordedViewer, 'cursor' | 'feed' | 'disconnected'> & { connected(): void };

/**
 * One connection of a recorded viewer, with the last id it was given: the native parser client.
 *
 * @returns the status; 0 where no answer came.
 */
export async function connectOnce(viewer: ConnectedViewer, url: string): Promise<number> {
  const headers = viewer.cursor === undefined ? {} : { 'last-event-id': viewer.cursor };
  viewer.connected();
  try {
    const answer = await get(url, { headers });
    if (answer.statusCode === 200) await read(answer, (text) => viewer.feed(text));
    else answer.resume();
    return answer.statusCode ?? 0;
  } catch {
    return 0;
  } finally {
    viewer.disconnected();
  }
}

/** Connects again and again until the stream said bye or there is nothing more. */
export async function connectToEnd(viewer: RecordedViewer, url: string, onConnect = () => {}): Promise<void> {
  while (!viewer.ended) {
    onConnect();
    const status = await connectOnce(viewer, url);
    if (status === 204) return;
    if (status !== 200 && status !== 0) throw new Error(`Status ${status}`);
  }
}
