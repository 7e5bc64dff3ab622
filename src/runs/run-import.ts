import { hash } from 'node:crypto';
import type { Ack, Log, RunOpening } from '../log/index.ts';
import {
  type EncodedEvent,
  type EventDraft,
  encodeEvent,
  isTerminal,
  type Limits,
  parseDraft,
  parseRunFileHeader,
  type RunFileHeader,
  type RunStatus,
  statusAfter,
  TelltaleError,
} from '../protocol/index.ts';
import { type Admit, openAdmitted } from './admit.ts';
import { type ImportedEnvelope, parseEnvelope } from './imported-envelope.ts';
import type { RemoteLine } from './remote-lines.ts';

/** Where a run is to go, if not to its own id and a thread of its own. */
export interface ImportTarget {
  readonly runId?: string;
  readonly threadId?: string;
  /** Whose it is from now on. */
  readonly owner?: string;
  readonly tenant?: string;
  /** Decides about the thread, as in `Runs.start`, and about the run where there is one of this id. */
  readonly admit?: Admit;
}

/** One batch of an import is stored; `duplicate` where an earlier attempt had stored it. */
export interface Imported extends Ack {
  readonly runId: string;
  readonly threadId: string;
  /** With the last batch: how the run ended. It is whole now. */
  readonly status?: RunStatus;
}

/**
 * What one append holds. Cut by the content of the file alone, so that another attempt sends the same appends; other
 * numbers here would make the rest of a half imported run a conflict.
 */
const BATCH = { events: 500, bytes: 512 * 1024 };

/** No client can have this name: theirs have no comma. */
const PRODUCER = 'telltale,import';

/**
 * Takes a whole run from a file, line by line, holding one batch at most. What is stored is an open run until its last
 * line has come: then it is closed, in the append that holds its end. The same file again, or a longer one that begins
 * the same, goes on where an attempt before it broke off.
 */
export class RunImport {
  readonly #log: Log;
  readonly #limits: Limits;
  readonly #target: ImportTarget;
  #header: RunFileHeader | undefined;
  #opens: RunOpening | undefined;
  #batch: EncodedEvent[] = [];
  #bytes = 0;
  #batches = 0;
  /** The last line that was an event, and what it said. */
  #last: { readonly line: number; readonly seq: number; readonly type: string } | undefined;
  #hasStarted = false;
  #events = 0;
  #stored = 0;

  constructor(log: Log, limits: Limits, target: ImportTarget) {
    this.#log = log;
    this.#limits = limits;
    this.#target = target;
  }

  /**
   * Takes the next lines; stores a batch when it is full.
   *
   * @throws {TelltaleError} `invalid_request`, `invalid_event`, `reserved_type`, `event_too_large`, `run_full`, each
   * naming the line; `run_exists`; `producer_conflict` where another file was half imported as this run; what the log says.
   */
  async *take(lines: readonly RemoteLine[]): AsyncGenerator<Imported> {
    for (const line of lines) {
      if (!this.#header) {
        this.#header = parseRunFileHeader(line.draft);
        continue;
      }
      const event = this.#read(line, this.#header);
      if (this.#batch.length > 0 && this.#bytes + event.bytes > BATCH.bytes) yield await this.#store();
      this.#batch.push(event);
      this.#bytes += event.bytes;
      if (this.#batch.length === BATCH.events && !isTerminal(event.type)) yield await this.#store();
    }
  }

  /**
   * All lines were taken: closes the run.
   *
   * @throws {TelltaleError} `invalid_request` for a file that ends before its run, and what `take` does.
   */
  async *end(): AsyncGenerator<Imported> {
    const { type, line } = this.#last ?? { type: '', line: 1 };
    if (isTerminal(type)) {
      const status = statusAfter(type) as RunStatus;
      yield { ...(await this.#store(true)), status };
      return;
    }
    const found = this.#last ? `the last line, ${line}, is ${type}` : 'there is no event';
    const kept =
      this.#stored === 0
        ? 'Nothing was stored.'
        : `${this.#stored} events are stored and the run stays open; a whole file that begins the same goes on there.`;
    const detail = `The file ends before its run does: ${found}, where run.completed, run.failed or run.cancelled has to be. ${kept}`;
    throw new TelltaleError('invalid_request', detail, { line, stored: this.#stored });
  }

  #read({ number, draft: input }: RemoteLine, header: RunFileHeader): EncodedEvent {
    const at = `line ${number}`;
    const { envelope, draft: rest } = parseEnvelope(input, at);
    const draft = parseDraft(rest, at);
    this.#checkPlace(at, draft.type, envelope, header);
    const { runId, threadId } = this.#place;
    const { time, parentRunId } = envelope;
    const { owner, tenant } = this.#target;
    const context = { runId, threadId, time, ...(parentRunId !== undefined && { parentRunId }) };
    this.#opens ??= {
      agent: (draft as EventDraft<'run.started'>).data.agent,
      createdAt: time,
      ...(owner !== undefined && { owner }),
      ...(tenant !== undefined && { tenant }),
      ...(parentRunId !== undefined && { parentRunId }),
    };
    this.#last = { line: number, seq: envelope.seq, type: draft.type };
    this.#hasStarted ||= draft.type === 'run.started';
    this.#events++;
    try {
      return encodeEvent(draft, context, this.#limits.eventBytes);
    } catch (error) {
      const { code, message, particulars } = TelltaleError.from(error);
      throw new TelltaleError(code, `${at}: ${message}`, { ...particulars, line: number });
    }
  }

  /** What makes these lines one run: its own events, in order, from its beginning to its only end. */
  #checkPlace(at: string, type: string, { runId, threadId, seq }: ImportedEnvelope, header: RunFileHeader): void {
    const refuse = (what: string): never => {
      throw new TelltaleError('invalid_event', `${at}: ${what}`);
    };
    const last = this.#last;
    if (runId !== header.runId) refuse(`it is of run ${runId}, the file of run ${header.runId}.`);
    if (threadId !== header.threadId) refuse(`it is of thread ${threadId}, the run of thread ${header.threadId}.`);
    if (last && isTerminal(last.type)) refuse(`nothing may follow ${last.type} in line ${last.line}; it ends the run.`);
    if (last && seq <= last.seq) refuse(`event ${seq} comes behind event ${last.seq} of line ${last.line}.`);
    if (!last && type !== 'run.queued' && type !== 'run.started') {
      refuse(`a run begins with run.queued or run.started, not with ${type}. Its beginning may have been trimmed.`);
    }
    // One that waits is queued again and again, with other positions.
    if (this.#hasStarted && (type === 'run.queued' || type === 'run.started')) {
      refuse(`${type} comes twice, or too late; a run begins once.`);
    }
    if (this.#events >= this.#limits.runEvents) {
      const detail = `${at}: a run may have ${this.#limits.runEvents} events.`;
      throw new TelltaleError('run_full', detail, { maxEvents: this.#limits.runEvents });
    }
  }

  get #place(): { runId: string; threadId: string } {
    const runId = this.#target.runId ?? this.#header?.runId ?? '';
    return { runId, threadId: this.#target.threadId ?? runId };
  }

  async #store(closes = false): Promise<Imported> {
    const { runId, threadId } = this.#place;
    const batch = this.#batch;
    const number = this.#batches;
    const digest = hash('sha256', batch.map(({ rest }) => rest).join('\n'));
    let ack: Ack;
    try {
      const append = (once?: string): Promise<Ack> =>
        this.#log.append(threadId, batch, {
          runId,
          producer: { id: PRODUCER, epoch: 0, seq: number, digest },
          ...(number === 0 && this.#opens && { opens: this.#opens }),
          ...(closes && { closes }),
          ...(once !== undefined && { once }),
        });
      ack = await (number === 0 ? openAdmitted(this.#target.admit, { threadId, runId }, append) : append());
    } catch (error) {
      throw this.#explain(TelltaleError.from(error), number);
    }
    this.#batch = [];
    this.#bytes = 0;
    this.#batches++;
    this.#stored += batch.length;
    return { ...ack, runId, threadId };
  }

  #explain(error: TelltaleError, batch: number): TelltaleError {
    const { runId } = this.#place;
    if (error.code === 'run_exists' || (error.code === 'producer_conflict' && batch === 0)) {
      const detail = `Run ${runId} exists already. Import this one under another id: ?runId=, or --as <id>.`;
      return new TelltaleError('run_exists', detail, { runId });
    }
    if (error.code !== 'producer_conflict') return error;
    const line = this.#last?.line ?? 1;
    const detail = `The ${this.#batch.length} events up to line ${line} are not those that an earlier import stored in run ${runId}. Import this file under another id.`;
    return new TelltaleError('producer_conflict', detail, { runId, line });
  }
}
