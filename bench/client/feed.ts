import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Draft, story } from './story.ts';

/** Milliseconds between what is sent together. */
const TICK_MS = 5;
/** Events that are sent together where they come as fast as they are taken. */
const AT_ONCE = 500;

/** What a run tells, and how fast. */
export interface Feed {
  /** Number of the last event. */
  readonly events: number;
  /** Events per second, at fixed times whether they are taken or not; as fast as they are taken if absent. */
  readonly rate?: number;
  /** Number of the last event that is there. 1 by default: `run.started`, which the server writes. */
  readonly told?: number;
  /** What is told. The story from its beginning by default. */
  readonly drafts?: Iterator<Draft>;
  /** The run goes on afterwards. By default the last event is its end. */
  readonly isOpen?: boolean;
}

/** Tells a story to a run, and ends it. Resolves when everything is stored. */
export async function feed(url: string, runId: string, feed: Feed): Promise<void> {
  const { events } = feed;
  const request = httpRequest(`${url}/v1/runs/${runId}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
  });
  const sent = pipeline(feed.rate === undefined ? atOnce(feed) : paced(feed, feed.rate), request);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const [answer] = await Promise.all([text(response), sent]);
  const last = answer.trim().split('\n').at(-1) ?? '';
  const ack = JSON.parse(last) as { last?: number };
  if (ack.last !== events) throw new Error(`Event ${events} of ${runId} was not stored: ${last}`);
}

async function* atOnce(feed: Feed): AsyncGenerator<string> {
  const lines = linesOf(feed);
  for (let sent = feed.told ?? 1; sent < feed.events; sent += AT_ONCE) yield take(lines, AT_ONCE);
}

async function* paced(feed: Feed, rate: number): AsyncGenerator<string> {
  const { events, told = 1 } = feed;
  const lines = linesOf(feed);
  const start = performance.now();
  for (let sent = told; sent < events; ) {
    await sleep(TICK_MS);
    const due = Math.min(events, told + Math.floor(((performance.now() - start) * rate) / 1000));
    if (due > sent) yield take(lines, due - sent);
    sent = Math.max(sent, due);
  }
}

function take(lines: Iterator<string, void>, count: number): string {
  let taken = '';
  for (let i = 0; i < count; i++) taken += lines.next().value ?? '';
  return taken;
}

function* linesOf({ events, told = 1, drafts = story(), isOpen = false }: Feed): Generator<string, void> {
  const last = isOpen ? events : events - 1;
  for (let seq = told; seq < last; seq++) yield line(drafts.next().value);
  if (!isOpen) yield line({ type: 'run.completed', data: { output: 'done' } });
}

const line = (draft: Draft): string => `${JSON.stringify(draft)}\n`;
