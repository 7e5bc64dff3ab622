import { matchesQuery, type RunChange, type RunDetails, type RunQuery, type RunRecord } from '../log/index.ts';
import {
  leftFrame,
  listCaughtUpFrame,
  listHelloFrame,
  type RevokedReason,
  revokedFrame,
  writeComment,
} from '../protocol/index.ts';
import { connectionFrames } from './opening.ts';
import type { Permit } from './permit.ts';
import type { Row, RunLists } from './run-lists.ts';
import type { Sink, SinkListener } from './sink.ts';
import type { Flushable } from './turn.ts';
import type { Surroundings } from './viewer.ts';
import type { Ticking } from './wheel.ts';

/** Which runs a live list shows, and how it begins. */
export interface RunListRequest {
  readonly query: RunQuery;
  /** Spaces in a comment at the beginning. */
  readonly padding?: number;
  /** As in the request of a stream. */
  readonly permit?: Permit | undefined;
}

/** A list that has come to know so many runs ends: whoever comes back gets it anew. */
const MOST_RUNS = 10_000;
/** So many runs go into one write. */
const PAGE_RUNS = 256;

/**
 * One live list: the runs it shows, as they were last told, and the ids of those that may have changed. There is no queue
 * of frames: a viewer that takes nothing finds each run as it is when it takes something again.
 */
export class RunListViewer implements Flushable, Ticking, SinkListener {
  readonly shown = new Map<string, Row>();
  readonly #around: Omit<Surroundings, 'onClosed'>;
  readonly #lists: RunLists;
  readonly #request: RunListRequest;
  readonly #sink: Sink;
  readonly #onClosed: (viewer: RunListViewer) => void;
  /** True: its mere growth is told too. */
  readonly #changed = new Map<string, boolean>();
  #slot: number | undefined;
  /** While runs are being read, any hint may be of what comes after that. */
  #reading = true;
  #waitsForSink = false;
  #over = false;
  #unwatch: (() => void) | undefined;

  constructor(
    around: Omit<Surroundings, 'onClosed'>,
    lists: RunLists,
    request: RunListRequest,
    sink: Sink,
    onClosed: (viewer: RunListViewer) => void,
  ) {
    this.#around = around;
    this.#lists = lists;
    this.#request = request;
    this.#sink = sink;
    this.#onClosed = onClosed;
  }

  /** Sends the list. @throws {TelltaleError} what the log says; the sink was not touched. */
  async begin(): Promise<void> {
    const { log, stalledMs, heartbeats, heartbeatMs } = this.#around;
    const { query, padding, permit } = this.#request;
    const { runs, next } = await log.runs.list(query);
    if (this.#over) this.#sink.abort();
    if (this.#over || this.#sink.closed) {
      this.closed();
      return;
    }
    this.#sink.open(this, stalledMs);
    this.#slot = heartbeats.add(this);
    this.#unwatch = permit?.watch((reason) => this.#revoked(reason));
    if (this.#over) return;
    const rows = runs.map((run) => this.#lists.row(run));
    for (const row of rows) this.shown.set(row.run.runId, row);
    const frames = rows.map((row) => this.#lists.frame(row));
    this.#write([connectionFrames(padding), listHelloFrame(heartbeatMs), ...frames, listCaughtUpFrame(next)].join(''));
    for (const row of rows) this.#lists.describe(row);
    this.#reading = false;
    this.#around.turn.add(this);
  }

  /** A hint. Growth alone waits for the next check, and what is not in the list stays out. */
  note({ runId, run }: RunChange): void {
    const shown = this.shown.get(runId);
    const isNews = !run || (shown ? shown.run.status !== run.status : matchesQuery(this.#request.query, run));
    if (isNews || this.#reading) this.#mark(runId, false);
  }

  /** The run as it was found by a timed check; `undefined`: it is gone. */
  check(runId: string, run: RunRecord | undefined): void {
    const shown = this.shown.get(runId);
    const isNews = shown
      ? !run || !isSame(shown, this.#lists.row(run, shown.told))
      : run && matchesQuery(this.#request.query, run);
    if (isNews) this.#mark(runId, true);
  }

  /** Sends what has changed, as far as the sink takes it. Never throws. */
  flush(): void {
    if (this.#over || this.#reading || this.#waitsForSink || this.#changed.size === 0) return;
    this.#send().catch((error) => this.#fail(error));
  }

  tick(): void {
    if (!this.#over && !this.#waitsForSink) this.#write(writeComment('heartbeat'));
  }

  drained(): void {
    this.#waitsForSink = false;
    this.#around.turn.add(this);
  }

  closed(): void {
    this.#leave();
    this.#onClosed(this);
  }

  /** Ends the stream; the client comes back and gets the list anew. */
  close(): void {
    if (this.#over) return;
    const isOpen = this.#slot !== undefined;
    this.#leave();
    if (isOpen) this.#sink.end();
  }

  #mark(runId: string, withGrowth: boolean): void {
    if (this.#over) return;
    this.#changed.set(runId, withGrowth || this.#changed.get(runId) === true);
    if (this.#changed.size + this.shown.size > MOST_RUNS) this.close();
    else this.#around.turn.add(this);
  }

  async #send(): Promise<void> {
    this.#reading = true;
    const due = [...this.#changed].slice(0, PAGE_RUNS);
    for (const [runId] of due) this.#changed.delete(runId);
    const runs = await Promise.all(due.map(([runId]) => this.#lists.read(runId)));
    this.#reading = false;
    if (this.#over) return;
    const frames = due.map(([runId, withGrowth], i) => this.#tell(runId, runs[i], withGrowth)).join('');
    if (frames !== '') this.#write(frames);
    if (this.#changed.size > 0) this.#around.turn.add(this);
  }

  #tell(runId: string, run: RunRecord | undefined, withGrowth: boolean): string {
    const shown = this.shown.get(runId);
    if (!run || !matchesQuery(this.#request.query, run)) {
      return this.shown.delete(runId) ? leftFrame(runId, run ? 'status' : 'deleted') : '';
    }
    const row = this.#lists.row(run, shown?.told);
    if (shown && (withGrowth ? isSame(shown, row) : shown.run.status === run.status)) return '';
    this.shown.set(runId, row);
    if (!shown) this.#lists.describe(row);
    return this.#lists.frame(row);
  }

  /** As that of a `Viewer`. */
  #revoked(reason: RevokedReason): void {
    if (this.#over) return;
    const isWaiting = this.#waitsForSink;
    if (!isWaiting) this.#write(revokedFrame(reason));
    this.#leave();
    if (isWaiting) this.#sink.abort();
    else this.#sink.end();
  }

  #write(text: string): void {
    this.#waitsForSink = !this.#sink.write(encoder.encode(text));
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    this.#leave();
    this.#sink.abort();
    this.#around.onError(error, undefined);
  }

  #leave(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#slot !== undefined) this.#around.heartbeats.remove(this, this.#slot);
    this.#unwatch?.();
    this.#changed.clear();
    this.shown.clear();
  }
}

/** As a list shows it: everything else of a run follows from these, or never changes. */
const isSame = (a: Row, b: Row): boolean =>
  a.run.status === b.run.status && a.run.events === b.run.events && isAlike(a.told?.details, b.told?.details);

const isAlike = (a: RunDetails | undefined, b: RunDetails | undefined): boolean =>
  a === b || JSON.stringify(a) === JSON.stringify(b);

const encoder = new TextEncoder();
