import {
  type AgentRef,
  type EncodedEvent,
  type ErrorInfo,
  type EventData,
  type EventDraft,
  type EventType,
  type Limits,
  parseDraft,
  TelltaleError,
  WARN_AT,
} from '../protocol/index.ts';
import { isReserved } from './boundary.ts';
import type { WriterCounts } from './counts.ts';
import { errorInfo } from './error-info.ts';
import { eventContext } from './event-context.ts';
import { fitEvent } from './fit.ts';
import type { Outbox } from './outbox.ts';
import { plain } from './plain.ts';

export interface RecorderOptions {
  readonly outbox: Outbox;
  readonly threadId: string;
  readonly runId: string;
  readonly parentRunId?: string | undefined;
  readonly limits: Limits;
  readonly counts: WriterCounts;
  /** The run has as many events as it may have, but for those of its end. */
  readonly onFull: () => void;
  /** Adds to an event, before it is written, what its teller left out. */
  readonly complete?: (draft: EventDraft) => EventDraft;
  /** Told of everything that is written, but for pieces of text. */
  readonly onTold?: (draft: EventDraft) => void;
}

/** Writes one run's events: makes values plain, checks, cuts to size and encodes, at the moment of the call. */
export class Recorder {
  readonly #options: RecorderOptions;
  /** `run.started` is the first. */
  #events = 1;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** What Telltale itself says of the agent. Never throws. */
  record<T extends EventType>(type: T, data: { [K in keyof EventData<T>]: unknown }, agent?: AgentRef): void {
    this.#guarded(type, agent, () => this.#write(type, data, agent));
  }

  /** What the agent says in its own words: any type and data. Malformed ones are reported. Never throws. */
  emit(type: unknown, data: unknown, agent?: AgentRef): void {
    this.#guarded(typeof type === 'string' ? type : `an event with a ${typeof type} as its type`, agent, () => {
      if (typeof type === 'string' && isReserved(type, { leased: true })) {
        throw new TelltaleError('reserved_type', `${type} is written by Telltale when it happens, not by the agent.`);
      }
      this.#write(type, data, agent);
    });
  }

  /** A piece of text. The hot path: nothing in it needs checking. */
  delta<T extends 'message.delta' | 'reasoning.delta'>(type: T, data: EventData<T>, agent?: AgentRef): void {
    this.#guarded(type, agent, () => this.#push({ type, data, agent }, true));
  }

  /** @throws {TelltaleError} `event_too_large` where nothing of it can be left out; `invalid_event`. */
  encode(type: string, data: Readonly<Record<string, unknown>>, agent?: AgentRef): readonly EncodedEvent[] {
    const { limits, counts } = this.#options;
    const context = eventContext(this.#options);
    const { events, truncated } = fitEvent({ type, data, ...(agent && { agent }) }, context, limits.eventBytes);
    if (truncated) counts.truncated++;
    return events;
  }

  #write(type: unknown, data: unknown, agent: AgentRef | undefined): void {
    const { complete, onTold } = this.#options;
    const told = parseDraft({ type, data: plain(data), ...(agent && { agent }) });
    const draft = complete ? complete(told) : told;
    this.#push({ type: draft.type, data: draft.data, agent }, draft.type.endsWith('.delta') && isBare(draft.data));
    onTold?.(draft);
  }

  #push(
    event: { type: string; data: Readonly<Record<string, unknown>>; agent: AgentRef | undefined },
    mergeable: boolean,
  ): void {
    const { outbox, limits } = this.#options;
    for (const encoded of this.encode(event.type, event.data, event.agent)) {
      // Two are left for the run's end.
      if (this.#events >= limits.runEvents - 2) {
        outbox.drop(1);
        this.#options.onFull();
        continue;
      }
      outbox.push(encoded, mergeable);
      if (++this.#events === Math.floor(limits.runEvents * WARN_AT)) this.record('error.reported', nearlyFull(limits));
    }
  }

  #guarded(type: string, agent: AgentRef | undefined, write: () => void): void {
    try {
      write();
    } catch (thrown) {
      this.#options.counts.invalid++;
      const { code, message } = errorInfo(thrown, 'invalid_event', false);
      const error: ErrorInfo = { code, message: `${type.slice(0, 64)} was not stored: ${message}` };
      try {
        this.#push({ type: 'error.reported', data: { error }, agent }, false);
      } catch {
        // Limits so small that not even this fits.
        this.#options.outbox.drop(1);
      }
    }
  }
}

/** Nothing but an id and a text: joined with the next one, nothing is lost. */
const isBare = (data: object): boolean => Object.keys(data).length === 2;

export function nearlyFull({ runEvents }: Limits): EventData<'error.reported'> {
  const message = `This run has used ${WARN_AT * 100} % of the ${runEvents} events a run may have.`;
  return { error: { code: 'run_nearly_full', message } };
}
