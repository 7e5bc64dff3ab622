import { TelltaleError } from './errors.ts';
import type { AgentRef, EventDraft } from './event.ts';
import { TYPE_PATTERN } from './ids.ts';
import { LIMITS } from './limits.ts';

/** What the envelope of an event says beside its number. */
export interface EventContext {
  readonly threadId: string;
  readonly runId: string;
  readonly parentRunId?: string;
  /** RFC 3339. */
  readonly time: string;
}

/**
 * An event ready for the log: everything but its number and epoch, encoded once. Whatever stands behind the number is
 * never parsed, measured or stringified again on its way to a viewer.
 */
export interface EncodedEvent {
  readonly type: string;
  readonly runId: string;
  readonly agent?: AgentRef;
  /** What a delta belongs to. */
  readonly entity?: string;
  /** The event's JSON behind `{"seq":n,"epoch":"e",`. */
  readonly rest: string;
  /** UTF-8 length of `rest`. */
  readonly bytes: number;
  /** UTF-8 length of the delta's escaped text, which ends `rest` but for `"}}`. */
  readonly deltaBytes?: number;
}

const encoder = new TextEncoder();
const scratch = new Uint8Array(3 * 1024);

/** UTF-8 length. `encodeInto` into a small scratch covers nearly every event without allocating its bytes. */
export function utf8Length(text: string): number {
  if (text.length <= 1024) return encoder.encodeInto(text, scratch).written;
  return encoder.encode(text).length;
}

/** What deltas of a type build, by the field that names it. */
const DELTA_ID: ReadonlyMap<string, string> = new Map([
  ['message.delta', 'messageId'],
  ['reasoning.delta', 'reasoningId'],
  ['tool.args.delta', 'toolCallId'],
]);

/**
 * Encodes one event.
 *
 * @throws {TelltaleError} `event_too_large` (more than `maxBytes`) or `invalid_event` (not expressible as JSON).
 */
export function encodeEvent(
  draft: EventDraft,
  context: EventContext,
  maxBytes: number = LIMITS.eventBytes,
): EncodedEvent {
  const { type, agent, data, traceparent } = draft;
  // The type becomes a field of the SSE frame: whatever got past the schemas, no line break gets past here.
  if (!TYPE_PATTERN.test(type)) throw new TelltaleError('invalid_event', `Not an event type: ${JSON.stringify(type)}`);
  const idField = DELTA_ID.get(type);
  let tail: string;
  let deltaBytes: number | undefined;
  let entity: string | undefined;
  const fields: Readonly<Record<string, unknown>> = data;
  if (idField !== undefined && typeof fields.delta === 'string') {
    // The delta goes last, so that merging deltas is joining slices that end at a known place.
    const { delta, ...others } = fields;
    const text = toJson(delta);
    const before = toJson(others).slice(0, -1);
    tail = `${before}${before === '{' ? '' : ','}"delta":${text}}`;
    deltaBytes = utf8Length(text) - 2;
    entity = entityKey(type, fields[idField], agent);
  } else {
    tail = toJson(fields);
  }
  const { threadId, runId, parentRunId, time } = context;
  const rest = `"threadId":"${threadId}","runId":"${runId}","type":"${type}","time":"${time}"${
    agent ? `,"agent":${toJson(agent)}` : ''
  }${parentRunId === undefined ? '' : `,"parentRunId":"${parentRunId}"`}${
    traceparent === undefined ? '' : `,"traceparent":${toJson(traceparent)}`
  },"data":${tail}}`;
  const bytes = utf8Length(rest);
  if (bytes > maxBytes) {
    throw new TelltaleError(
      'event_too_large',
      `This ${type} has ${bytes} bytes; an event may have ${maxBytes}. Shorten it, or store it elsewhere and send a link.`,
      { bytes, maxBytes },
    );
  }
  return {
    type,
    runId,
    rest,
    bytes,
    ...(agent && { agent }),
    ...(entity !== undefined && { entity }),
    ...(deltaBytes !== undefined && { deltaBytes }),
  };
}

/** One entity of one agent; ids of tool calls repeat between agents. */
export function entityKey(type: string, id: unknown, agent: AgentRef | undefined): string {
  return `${type} ${agent?.id ?? ''} ${String(id)}`;
}

function toJson(value: unknown): string {
  try {
    const json = JSON.stringify(value);
    if (json !== undefined) return json;
  } catch (cause) {
    throw new TelltaleError('invalid_event', `data cannot be written as JSON: ${String(cause)}`, {}, { cause });
  }
  throw new TelltaleError('invalid_event', 'data cannot be written as JSON');
}
