/**
 * Judges a recorded history of one thread: what was acknowledged, and what each viewer was given over all its
 * connections. After the checkers of Jepsen's Kafka workload, for a log with consecutive numbers and told resets.
 */
import { type EpochStart, type Head, locate, parseCursor, type StreamReset } from '../protocol/index.ts';

export interface SeenEvent {
  readonly epoch: string;
  readonly seq: number;
  readonly type: string;
  readonly runId: string;
  /** All of it but `prev`, in whatever form compares. */
  readonly content: string;
}

/** What happened, in order. `at` is milliseconds of one clock that never goes back. */
export type HistoryRecord = { readonly at: number } & (
  | { readonly what: 'acked'; readonly event: SeenEvent }
  /** The log came back under another epoch, without what stood after `after`. */
  | { readonly what: 'forked'; readonly epoch: string; readonly after: number }
  | { readonly what: 'trimmed'; readonly through: number }
  /** The run's events are void from now on: nobody needs to have them, and nobody may still be given one. */
  | { readonly what: 'erased'; readonly runId: string }
  /** With the last id of the connection before, or, on the first one, the number to begin after (0). */
  | { readonly what: 'connected'; readonly viewer: string; readonly cursor?: string; readonly from?: number }
  | { readonly what: 'delivered'; readonly viewer: string; readonly event: SeenEvent; readonly prev?: number }
  | { readonly what: 'progress'; readonly viewer: string; readonly seq: number }
  | { readonly what: 'caught-up'; readonly viewer: string }
  | { readonly what: 'reset'; readonly viewer: string; readonly reset: StreamReset }
  | { readonly what: 'disconnected'; readonly viewer: string }
  /** The viewer was there to the end: everything in its view should have reached it. */
  | { readonly what: 'complete'; readonly viewer: string }
);

export interface CheckOptions {
  /** What each viewer wanted to see; absent: everything. */
  readonly views?: Readonly<Record<string, (event: SeenEvent) => boolean>>;
  /** How long after its acknowledgement an event may reach a viewer that was caught up. */
  readonly latenessMs?: number;
}

export interface Finding {
  readonly problem:
    | 'lost'
    | 'repeated'
    | 'reordered'
    | 'diverged'
    | 'hole'
    | 'unwanted'
    | 'erased'
    | 'reset without cause'
    | 'wrong reset'
    | 'late';
  readonly viewer: string;
  readonly seq: number;
}

/** Everything that is wrong with a history; nothing, when every promise was kept. */
export function checkHistory(records: readonly HistoryRecord[], options: CheckOptions = {}): readonly Finding[] {
  return new Checker(options).check(records);
}

interface ViewerState {
  readonly name: string;
  readonly held: Map<number, SeenEvent>;
  from: number;
  /** The newest number it was given or told of. */
  last: number | undefined;
  cursor: string | undefined;
  liveSince: number | undefined;
}

class Checker {
  readonly #options: CheckOptions;
  readonly #findings: Finding[] = [];
  readonly #viewers = new Map<string, ViewerState>();
  /** The log as it stands, and when each event was acknowledged. */
  readonly #log = new Map<number, { readonly event: SeenEvent; readonly at: number }>();
  /** One content for each (epoch, seq), whoever saw it. */
  readonly #contents = new Map<string, string>();
  readonly #epochs: EpochStart[] = [];
  readonly #erased = new Set<string>();
  #first = 1;
  #last = 0;

  constructor(options: CheckOptions) {
    this.#options = options;
  }

  check(records: readonly HistoryRecord[]): readonly Finding[] {
    for (const record of records) this.#take(record);
    return this.#findings;
  }

  #take(record: HistoryRecord): void {
    switch (record.what) {
      case 'acked':
        this.#commit(record.event);
        this.#log.set(record.event.seq, { event: record.event, at: record.at });
        this.#compare('', record.event);
        break;
      case 'forked':
        for (const seq of this.#log.keys()) if (seq > record.after) this.#log.delete(seq);
        this.#epochs.push({ id: record.epoch, after: record.after });
        this.#last = record.after;
        break;
      case 'trimmed':
        this.#first = Math.max(this.#first, record.through + 1);
        break;
      case 'erased':
        this.#erased.add(record.runId);
        for (const [seq, { event }] of this.#log) if (event.runId === record.runId) this.#log.delete(seq);
        break;
      case 'connected':
        this.#connect(record.viewer, record.cursor, record.from);
        break;
      case 'delivered':
        this.#deliver(this.#viewer(record.viewer), record.event, record.prev, record.at);
        break;
      case 'progress':
        this.#progress(this.#viewer(record.viewer), record.seq);
        break;
      case 'caught-up':
        this.#viewer(record.viewer).liveSince = record.at;
        break;
      case 'reset':
        this.#reset(this.#viewer(record.viewer), record.reset);
        break;
      case 'disconnected':
        this.#viewer(record.viewer).liveSince = undefined;
        break;
      case 'complete':
        this.#complete(this.#viewer(record.viewer));
    }
  }

  #viewer(name: string): ViewerState {
    const known = this.#viewers.get(name);
    if (known) return known;
    const state = { name, held: new Map(), from: 0, last: undefined, cursor: undefined, liveSince: undefined };
    this.#viewers.set(name, state);
    return state;
  }

  #connect(name: string, cursor: string | undefined, from = 0): void {
    const isNew = !this.#viewers.has(name);
    const viewer = this.#viewer(name);
    viewer.cursor = cursor;
    viewer.liveSince = undefined;
    if (!isNew) return;
    viewer.from = parseCursor(cursor ?? '')?.seq ?? from;
    if (cursor !== undefined) viewer.last = viewer.from;
  }

  #deliver(viewer: ViewerState, event: SeenEvent, prev = event.seq - 1, at: number): void {
    const { held, last = prev, name } = viewer;
    const { seq } = event;
    if (held.has(seq)) this.#find('repeated', name, seq);
    else if (seq <= last) this.#find('reordered', name, seq);
    else if (prev > last) this.#find('hole', name, seq);
    if (!this.#wants(name, event)) this.#find('unwanted', name, seq);
    if (this.#erased.has(event.runId)) this.#find('erased', name, seq);
    this.#compare(name, event);
    this.#commit(event);
    held.set(seq, event);
    viewer.last = Math.max(last, seq);
    viewer.cursor = `${event.epoch}.${seq}`;
    const { latenessMs = Number.POSITIVE_INFINITY } = this.#options;
    const acked = this.#log.get(seq)?.at ?? at;
    const live = viewer.liveSince !== undefined && viewer.liveSince <= acked;
    if (live && at - acked > latenessMs) this.#find('late', name, seq);
  }

  #progress(viewer: ViewerState, seq: number): void {
    viewer.last = Math.max(viewer.last ?? 0, seq);
    viewer.cursor = `${this.#epochs.findLast(({ after }) => after < seq)?.id}.${seq}`;
  }

  #reset(viewer: ViewerState, reset: StreamReset): void {
    const { name } = viewer;
    const head: Head = {
      epoch: this.#epochs.at(-1)?.id ?? '',
      first: this.#first,
      last: this.#last,
      epochs: this.#epochs,
    };
    const expected = locate(parseCursor(viewer.cursor ?? ''), head);
    if (!expected.reset) this.#find('reset without cause', name, reset.after);
    else if (expected.reset.reason !== reset.reason || expected.reset.shared !== reset.shared) {
      this.#find('wrong reset', name, reset.after);
    }
    for (const seq of viewer.held.keys()) if (seq > reset.shared) viewer.held.delete(seq);
    viewer.from = Math.min(viewer.from, reset.after);
    // What was trimmed before the viewer came to it cannot be asked for.
    if (reset.reason === 'truncated') viewer.from = reset.after;
    viewer.last = reset.after;
  }

  #complete({ name, held, from }: ViewerState): void {
    for (const [seq, { event }] of this.#log) {
      if (seq <= from || seq < this.#first || !this.#wants(name, event)) continue;
      const got = held.get(seq);
      if (!got) this.#find('lost', name, seq);
      else if (got.epoch !== event.epoch || got.content !== event.content) this.#find('diverged', name, seq);
    }
  }

  /** Whatever was acknowledged or delivered had been committed by then. */
  #commit({ epoch, seq }: SeenEvent): void {
    if (this.#epochs.length === 0) this.#epochs.push({ id: epoch, after: 0 });
    if (epoch === this.#epochs.at(-1)?.id) this.#last = Math.max(this.#last, seq);
  }

  #compare(viewer: string, { epoch, seq, content }: SeenEvent): void {
    const key = `${epoch}.${seq}`;
    const known = this.#contents.get(key);
    if (known === undefined) this.#contents.set(key, content);
    else if (known !== content) this.#find('diverged', viewer, seq);
  }

  #wants(viewer: string, event: SeenEvent): boolean {
    return this.#options.views?.[viewer]?.(event) ?? true;
  }

  #find(problem: Finding['problem'], viewer: string, seq: number): void {
    this.#findings.push({ problem, viewer, seq });
  }
}
