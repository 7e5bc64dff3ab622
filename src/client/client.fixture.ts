import { afterEach } from 'vitest';
import type { TelltaleEvent } from '../protocol/index.ts';
import { type Client, type ClientOptions, createClient } from './client.ts';
import { type Scripted, type Step, serveScripts } from './scripted.fixture.ts';
import type { ConnectionView, Store } from './store.ts';
// Scripts take what they sent for read: the parts that read it are here before the first of them is played.
import './logs.ts';
import './stream.ts';

export const closing: (() => unknown)[] = [];
afterEach(() => Promise.all(closing.splice(0).map((close) => close())));

export function clientOf(url: string, options: Partial<ClientOptions> = {}): Client {
  const client = createClient({ url, ...options });
  closing.push(() => client.close());
  return client;
}

export async function scripts(...all: Step[][]): Promise<Scripted & { client: Client }> {
  const server = await serveScripts(...all);
  closing.push(() => server.close());
  return { ...server, client: clientOf(server.url) };
}

/** Resolves with the first view that fits, now or later; a user of the store until then. */
export function view<View>(store: Store<View>, fits: (view: View) => boolean): Promise<View> {
  const found = Promise.withResolvers<View>();
  const look = (): void => {
    if (fits(store.getSnapshot())) found.resolve(store.getSnapshot());
  };
  const leave = store.subscribe(look);
  look();
  return found.promise.finally(leave);
}

export const closed = (it: ConnectionView) => it.connection === 'closed';
export const live = (it: ConnectionView) => it.connection === 'live';

export const seqs = (events: readonly TelltaleEvent[]): number[] => events.map((it) => it.seq);

export async function all(events: AsyncIterable<TelltaleEvent>): Promise<number[]> {
  const given: TelltaleEvent[] = [];
  for await (const event of events) given.push(event);
  return seqs(given);
}
