import { z } from 'zod';
import { TelltaleError } from './errors.ts';
import { controlEvents, moneyEvents, peopleEvents, stateEvents } from './events/control.ts';
import { runEvents } from './events/run.ts';
import { messageEvents, reasoningEvents } from './events/text.ts';
import { agentEvents, modelEvents, planEvents, toolEvents } from './events/work.ts';
import { TYPE_PATTERN } from './ids.ts';
import { MERGED_DELTAS } from './merged.ts';
import { STREAM_PREFIX } from './stream.ts';

export type { Cost, ErrorInfo, Usage } from './events/shared.ts';

/** The schema of `data` for every known event type (PROTOCOL.md section 3). */
export const eventData = {
  ...runEvents,
  ...planEvents,
  ...agentEvents,
  ...modelEvents,
  ...reasoningEvents,
  ...messageEvents,
  ...toolEvents,
  ...peopleEvents,
  ...moneyEvents,
  ...controlEvents,
  ...stateEvents,
};

/** The known event types. */
export type EventType = keyof typeof eventData;
/** What `data` holds in events of a type. */
export type EventData<T extends EventType> = z.infer<(typeof eventData)[T]>;

/**
 * Which agent caused an event. `id` is one invocation; `path` is the ids from the outermost invocation down to this one,
 * joined by "/", so that its last but one part is the invocation that invoked it.
 */
export interface AgentRef {
  readonly id: string;
  readonly name: string;
  readonly path: string;
}

/** What a producer writes. */
export interface EventDraft<T extends string = string> {
  readonly type: T;
  readonly data: T extends EventType ? EventData<T> : Readonly<Record<string, unknown>>;
  readonly agent?: AgentRef;
  /** W3C Trace Context. */
  readonly traceparent?: string;
}

/** An event as it stands in the log: never changed, never repeated. */
export interface Envelope {
  /** 1, 2, 3 … in its thread, without holes. */
  readonly seq: number;
  readonly epoch: string;
  readonly threadId: string;
  readonly runId: string;
  /** RFC 3339; informative, never an order. */
  readonly time: string;
  readonly agent?: AgentRef;
  /** The run that started this one. */
  readonly parentRunId?: string;
  readonly traceparent?: string;
  /** In a view that leaves events out: the number of the frame before this one. Absent: `seq - 1`. */
  readonly prev?: number;
  /** In a frame of merged deltas: the number of the first, and how many there are; `seq` is the number of the last. */
  readonly first?: number;
  readonly count?: number;
}

/** A known event, told apart by `type`. */
export type KnownEvent = { [T in EventType]: Envelope & { readonly type: T; readonly data: EventData<T> } }[EventType];
/** An event of a type this version does not know: kept, passed on, never interpreted. */
export type UnknownEvent = Envelope & { readonly type: string & {}; readonly data: Readonly<Record<string, unknown>> };
/** Any event of a log. */
export type TelltaleEvent = KnownEvent | UnknownEvent;

export function isKnown(event: TelltaleEvent): event is KnownEvent {
  return Object.hasOwn(eventTypes, event.type);
}

const eventTypes: Readonly<Record<string, unknown>> = eventData;

export const agentRef = z.strictObject({
  id: z.string().min(1).max(256),
  name: z.string().min(1).max(256),
  path: z.string().min(1).max(1024),
});

/** What a producer writes, but for what `data` has to hold by its type. */
export const eventDraft = z.strictObject({
  type: z.string().regex(TYPE_PATTERN, 'must be dotted words such as "tool.called", at most 64 characters'),
  data: z.record(z.string(), z.unknown()),
  agent: agentRef.exactOptional(),
  traceparent: z
    .string()
    .regex(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/)
    .exactOptional(),
});

/**
 * Checks what a producer sent. Unknown types pass with any object as `data`; a malformed known type does not.
 *
 * @throws {TelltaleError} `reserved_type` for `stream.*`, `deltas.merged`, `error` and `open`; `invalid_event` naming the field.
 */
export function parseDraft(input: unknown, at = 'event'): EventDraft {
  const type = typeof input === 'object' && input !== null && 'type' in input ? input.type : undefined;
  if (typeof type === 'string' && isReserved(type.toLowerCase())) {
    throw new TelltaleError(
      'reserved_type',
      `${at}.type: "stream." types and "${MERGED_DELTAS}" are the server's, "error" and "open" EventSource's. Use "custom".`,
    );
  }
  const shape = eventDraft.safeParse(input);
  if (!shape.success) throw invalidEvent(at, shape.error);
  const schema = Object.hasOwn(eventTypes, shape.data.type) ? eventData[shape.data.type as EventType] : undefined;
  const checked = schema?.safeParse(shape.data.data);
  if (checked && !checked.success) throw invalidEvent(`${at}.data (${shape.data.type})`, checked.error);
  return shape.data as EventDraft;
}

/** A frame named `error` or `open` would call the handlers with which EventSource tells of its connection. */
const isReserved = (type: string): boolean =>
  type.startsWith(STREAM_PREFIX) || type === MERGED_DELTAS || type === 'error' || type === 'open';

function invalidEvent(at: string, error: z.ZodError): TelltaleError {
  const issues = error.issues.slice(0, 5).map((issue) => `${[at, ...issue.path].join('.')}: ${issue.message}`);
  return new TelltaleError('invalid_event', issues.join('; '), { issues });
}

/** JSON Schema (2020-12) of `data` for every known type, keyed by type. */
export function eventJsonSchemas(): Record<EventType, object> {
  const schemas = Object.entries(eventData).map(([type, schema]) => [type, z.toJSONSchema(schema, { io: 'input' })]);
  return Object.fromEntries(schemas) as Record<EventType, object>;
}
