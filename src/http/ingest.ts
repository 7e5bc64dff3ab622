import type { Context } from 'hono';
import { formatCursor } from '../protocol/index.ts';
import type { Appended, RemoteLine } from '../runs/index.ts';
import type { Issued } from './access/index.ts';
import { checkPlain, parseJson } from './body.ts';
import type { AppContext } from './context.ts';
import { withoutTimeout } from './endless.ts';
import { type Line, LineIntake } from './line-intake.ts';
import { refusalOf } from './problem.ts';

/** Stores lines in order; `from` is how many there were before them in this request. */
export type StoreLines = (lines: readonly RemoteLine[], from: number) => AsyncIterable<Appended>;

/** What is different where the lines are one whole. */
export interface IngestRules {
  /** Decides before each batch whether its sender may go on. */
  readonly permit?: Issued | undefined;
  /** Bytes of one line; by default those of an event. */
  readonly lineBytes?: number;
  /** Called when the body has ended without a fault. */
  readonly end?: () => AsyncIterable<Appended>;
}

/** Common proxies end a connection after 60 s of silence. */
const IDLE_MS = 60_000;
/** A line is an event: `data` stands one deep. */
const DATA_DEPTH = 1;
const HEADERS = { 'content-type': 'application/x-ndjson', 'x-accel-buffering': 'no' };

/** What an append is answered. */
export const answerTo = (ack: Appended): object => ({ ...ack, cursor: formatCursor(ack.epoch, ack.last) });

/**
 * Takes a body of one event per line for as long as it goes on, and answers with one line per batch that is stored. What
 * is refused is the last line, as problem details; the lines before it are stored.
 *
 * @throws {TelltaleError} `unsupported_media_type`.
 */
export function ingest(c: Context, context: AppContext, store: StoreLines, rules: IngestRules = {}): Response {
  checkPlain(c);
  const answers = answer(c, context, store, rules);
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await answers.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(`${value}\n`));
    },
    async cancel() {
      await answers.return();
    },
  });
  return c.body(stream, 200, HEADERS);
}

const encoder = new TextEncoder();

async function* answer(
  c: Context,
  context: AppContext,
  store: StoreLines,
  { lineBytes, permit, end }: IngestRules,
): AsyncGenerator<string, void> {
  const { hub, limits, ingestIdleMs = IDLE_MS, onError } = context;
  const intake = new LineIntake(c.req.raw.body ?? new Blob().stream(), {
    lineBytes: lineBytes ?? limits.eventBytes,
    batchLines: limits.batchEvents,
    batchBytes: limits.batchBytes,
    idleMs: ingestIdleMs,
  });
  const release = withoutTimeout(c.env);
  const unwatch = permit?.watch(() => intake.close());
  let count = 0;
  try {
    for (let lines = await intake.take(); lines.length > 0; lines = await intake.take()) {
      hub.flushIfLate();
      permit?.checkKnown();
      const { drafts, error } = parseLines(lines, limits.jsonDepth + DATA_DEPTH);
      if (drafts.length > 0) for await (const ack of store(drafts, count)) yield JSON.stringify(answerTo(ack));
      count += drafts.length;
      if (error !== undefined) throw error;
    }
    permit?.checkKnown();
    if (end) for await (const ack of end()) yield JSON.stringify(answerTo(ack));
  } catch (error) {
    yield refusalOf(error, c.req, onError).body;
  } finally {
    unwatch?.();
    intake.close();
    release();
  }
}

/** The lines up to the first that is no JSON. */
function parseLines(lines: readonly Line[], maxDepth: number): { drafts: RemoteLine[]; error?: unknown } {
  const drafts: RemoteLine[] = [];
  for (const { number, bytes } of lines) {
    try {
      drafts.push({ number, draft: parseJson(bytes, maxDepth, `Line ${number}`) });
    } catch (error) {
      return { drafts, error };
    }
  }
  return { drafts };
}
