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
  readonly events: number;
  /** Events per second, at fixed times whether they are taken or not; as fast as they are taken if absent. */
  readonly rate?: number;
}

/**
 * Tells the story to a run, and ends it: `events` in all, with the run's first and last. Resolves when everything is
 * stored.
 */
export async function feed(url: string, runId: string, { events, rate }: Feed): Promise<void> {
  const request = httpRequest(`${url}/v1/runs/${runId}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
  });
  const sent = pipeline(rate === undefined ? atOnce(events) : paced(events, rate), request);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const [answer] = await Promise.all([text(response), sent]);
  const last = answer.trim().split('\n').at(-1) ?? '';
  const ack = JSON.parse(last) as { last?: number };
  if (ack.last !== events) throw new Error(`Event ${events} of ${runId} was not stored: ${last}`);
}

async function* atOnce(events: number): AsyncGenerator<string> {
  const lines = linesOf(events);
  for (let sent = 1; sent < events; sent += AT_ONCE) yield take(lines, AT_ONCE);
}

async function* paced(events: number, rate: number): AsyncGenerator<string> {
  const lines = linesOf(events);
  const start = performance.now();
  for (let sent = 1; sent < events; ) {
    await sleep(TICK_MS);
    const due = Math.min(events, 1 + Math.floor(((performance.now() - start) * rate) / 1000));
    if (due > sent) yield take(lines, due - sent);
    sent = Math.max(sent, due);
  }
}

function take(lines: Iterator<string, void>, count: number): string {
  let taken = '';
  for (let i = 0; i < count; i++) taken += lines.next().value ?? '';
  return taken;
}

/** Between `run.started`, which the server writes, and the end. */
function* linesOf(events: number): Generator<string, void> {
  const drafts = story();
  for (let seq = 2; seq < events; seq++) yield line(drafts.next().value);
  yield line({ type: 'run.completed', data: { output: 'done' } });
}

const line = (draft: Draft): string => `${JSON.stringify(draft)}\n`;
