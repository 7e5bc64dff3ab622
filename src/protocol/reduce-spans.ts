import type { ErrorInfo, KnownEvent, TelltaleEvent } from './event.ts';
import type { RunSnapshot, Span, SpanStatus } from './snapshot.ts';

/**
 * Lists that came into being during the current `reduceAll`: nobody has seen them, so they are changed in place. Without
 * this a run of n entities costs n² (20,000 activities: 1.2 s; so 5 ms). With each, once asked for, where its keys are.
 */
let fresh: Map<readonly unknown[], Map<string, number> | undefined> | undefined;

/** Makes steps of a fold that are one change: what one of them made, the next may change in place. */
export function asOneChange<S, E>(step: (state: S, event: E) => S): (state: S, event: E) => S {
  const own: typeof fresh = new Map();
  return (state, event) => {
    fresh = own;
    try {
      return step(state, event);
    } finally {
      fresh = undefined;
    }
  };
}

/** How an entity is found in its list: by comparing, or, in long lists, by its key. */
export interface Identity<T> {
  readonly is: (it: T) => boolean;
  readonly key: () => string;
  readonly keyOf: (it: T) => string;
}

/** The entity whose `field` is `id`. */
export const by = <K extends string>(field: K, id: string): Identity<{ readonly [P in K]: string }> => ({
  is: (it) => it[field] === id,
  key: () => id,
  keyOf: (it) => it[field],
});

export const byId = (id: string): Identity<{ readonly id: string }> => by('id', id);

/** The entity with this id of this event's agent. */
export function mine(id: string, e: KnownEvent): Identity<{ readonly id: string; readonly agentId?: string }> {
  const agentId = e.agent?.id;
  return {
    is: (it) => it.id === id && it.agentId === agentId,
    key: () => JSON.stringify([agentId, id]),
    keyOf: (it) => JSON.stringify([it.agentId, it.id]),
  };
}

/** The list with one entity changed, or added at its end. */
export function upsert<T>(list: readonly T[], which: Identity<T>, change: (it: T | undefined) => T): readonly T[] {
  const index = find(list, which);
  if (index < 0) {
    const longer = push(list, change(undefined));
    fresh?.get(longer)?.set(which.key(), longer.length - 1);
    return longer;
  }
  const own = mutable(list);
  own[index] = change(list[index]);
  return own;
}

/** The list with one more at its end. */
export function push<T>(list: readonly T[], it: T): readonly T[] {
  const own = mutable(list);
  own.push(it);
  return own;
}

function mutable<T>(list: readonly T[]): T[] {
  if (fresh?.has(list)) return list as T[];
  const copy = list.slice();
  fresh?.set(copy, undefined);
  return copy;
}

/** Searched from the end, as what changes is nearly always recent; in a list of our own then by its index. */
function find<T>(list: readonly T[], { key, is, keyOf }: Identity<T>): number {
  const near = fresh?.has(list) ? Math.max(0, list.length - NEAR) : 0;
  for (let i = list.length - 1; i >= near; i--) if (is(list[i] as T)) return i;
  if (near === 0) return -1;
  let index = fresh?.get(list);
  if (!index) {
    index = new Map(list.map((it, i) => [keyOf(it), i]));
    fresh?.set(list, index);
  }
  return index.get(key()) ?? -1;
}

const NEAR = 16;

/** Whose an event is. Absent for the run's own. */
const owner = ({ agent }: KnownEvent): Pick<Span, 'agentId'> => (agent ? { agentId: agent.id } : {});

/** Where an event stands, for what is a fact and no span. */
export const at = (e: KnownEvent): Pick<Span, 'agentId'> & { readonly seq: number } => ({ seq: e.seq, ...owner(e) });

export function opened(e: KnownEvent): Pick<Span, 'startSeq' | 'startedAt' | 'agentId'> & { status: 'running' } {
  return { status: 'running', startSeq: e.seq, startedAt: e.time, ...owner(e) };
}

/** When something ended. */
export const endOf = ({ seq, time }: TelltaleEvent) => ({ endSeq: seq, endedAt: time });

/** The end of a span, failed where the event brings an error. */
export function ended(e: KnownEvent, data: { durationMs?: number; error?: ErrorInfo }) {
  const status: SpanStatus = data.error ? 'failed' : 'completed';
  return {
    status,
    ...endOf(e),
    ...pick(data, ['durationMs', 'error']),
  };
}

export function tellError(s: RunSnapshot, e: KnownEvent, error: ErrorInfo): RunSnapshot {
  return { ...s, errors: push(s.errors, { ...error, ...at(e) }) };
}

/** A terminal event closes everything still open. */
export function closeOpen(s: RunSnapshot, e: TelltaleEvent): RunSnapshot {
  const end = endOf(e);
  const close = <T extends { status: string }>(spans: readonly T[]): readonly T[] =>
    spans.some((span) => span.status === 'running')
      ? spans.map((span) => (span.status === 'running' ? { ...span, ...end, status: 'interrupted' } : span))
      : spans;
  return {
    ...s,
    steps: close(s.steps),
    agents: close(s.agents),
    reasoning: close(s.reasoning),
    messages: close(s.messages),
    tools: close(s.tools),
    llmCalls: close(s.llmCalls),
    approvals: s.approvals.map((it) => (it.status === 'requested' ? { ...it, ...end, status: 'expired' } : it)),
    commands: s.commands.map((it) =>
      it.status === 'requested' || it.status === 'overdue' ? { ...it, ...end, status: 'void' } : it,
    ),
  };
}

/** The named fields that are there: with exact optional types, absent must stay absent. */
export function pick<T extends object, K extends string>(
  data: T,
  keys: readonly K[],
): { [P in K & keyof T]?: Exclude<T[P], undefined> } {
  const picked: Record<string, unknown> = {};
  for (const key of keys) {
    const value = (data as Record<string, unknown>)[key];
    if (value !== undefined) picked[key] = value;
  }
  return picked as never;
}
