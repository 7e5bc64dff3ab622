/** A producer and a client, as small as can be: no library in between that would mend or hide what a host does. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomId } from '../../protocol/index.ts';
import type { StreamHost } from '../stream.cases.ts';

/** One frame, or the comment or retry that stands in its place. */
export interface Frame {
  readonly id?: string;
  readonly event?: string;
  readonly data?: string;
  readonly comment?: string;
  readonly retry?: string;
}

export type Draft = readonly [type: string, data: object];

export const note = (value: unknown): Draft => ['custom', { name: 'n', value }];
export const END: Draft = ['run.completed', {}];

/** A run that the case fills. */
export interface CaseRun {
  readonly runId: string;
  readonly path: string;
  readonly epoch: string;
  append(...drafts: readonly Draft[]): Promise<void>;
}

/** Opens a run, which begins with one event. */
export async function openRun(host: StreamHost): Promise<CaseRun> {
  const runId = `case-${randomId(16)}`;
  const { cursor } = (await post(host, '/v1/runs', { agent: 'case', mode: 'remote', runId })) as { cursor: string };
  const append = async (...drafts: readonly Draft[]) => {
    const events = drafts.map(([type, data]) => ({ type, data }));
    await post(host, `/v1/runs/${runId}/events`, { events });
  };
  return { runId, path: `/v1/runs/${runId}/stream`, epoch: cursor.split('.')[0]!, append };
}

async function post(host: StreamHost, path: string, body: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const answer = await ask(host, path, { method: 'POST', headers, body: JSON.stringify(body) });
  const text = await answer.text();
  assert.ok(answer.ok, `${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

export const ask = (host: StreamHost, path: string, init: RequestInit = {}): Promise<Response> =>
  host.fetch(new Request(host.url + path, init));

/** Opens a stream, after a cursor where one is given. */
export async function watch(host: StreamHost, path: string, cursor?: string): Promise<Reading> {
  const answer = await ask(host, path, cursor === undefined ? {} : { headers: { 'last-event-id': cursor } });
  assert.equal(answer.status, 200);
  return new Reading(answer);
}

/** What a client has read of one stream. It reads when it is told to, and only then. */
export class Reading {
  readonly frames: Frame[] = [];
  /** How many bytes it has read. */
  bytes = 0;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #rest = '';

  constructor(answer: Response) {
    this.#reader = answer.body!.getReader();
  }

  get events(): readonly Frame[] {
    return this.frames.filter(({ event }) => event !== undefined && !event.startsWith('stream.'));
  }

  /** The numbers of the events, as their ids have them. */
  get seqs(): readonly number[] {
    return this.events.map(({ id }) => Number(id?.split('.')[1]));
  }

  /** Reads on until a frame of this name, or until the stream ends. */
  async readTo(event: string): Promise<Frame> {
    return this.readUntil((frame) => frame.event === event, event);
  }

  async readUntil(wanted: (frame: Frame) => boolean, what: string): Promise<Frame> {
    for (let seen = 0; ; ) {
      for (; seen < this.frames.length; seen++) if (wanted(this.frames[seen]!)) return this.frames[seen]!;
      assert.ok(await this.#more(), `the stream ended before ${what}`);
    }
  }

  /** Reads to the end. Rejects where the stream is cut. */
  async readToEnd(): Promise<void> {
    while (await this.#more());
    assert.equal(this.#rest, '', 'the stream ended inside a frame');
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel();
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#reader.read();
    if (done) return false;
    this.bytes += value.length;
    const blocks = (this.#rest + this.#decoder.decode(value, { stream: true })).split('\n\n');
    this.#rest = blocks.pop()!;
    for (const block of blocks) this.frames.push(parseFrame(block));
    return true;
  }
}

/** Every line has to be one that PROTOCOL.md section 5 or 6 allows. */
export function parseFrame(block: string): Frame {
  const fields = block.split('\n').map((line) => {
    const [, name, value] =
      /^(id|event|data|retry|): (.*)$/s.exec(line) ?? assert.fail(`not a line of a frame: ${line}`);
    return [name || 'comment', value];
  });
  return Object.fromEntries(fields) as Frame;
}

/** Resolves when the host has so many streams open. */
export async function viewersAre(host: StreamHost, count: number): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const open = await host.viewers();
    if (open === count) return;
    assert.ok(performance.now() < deadline, `${open} streams are open, not ${count}`);
    await sleep(5);
  }
}
