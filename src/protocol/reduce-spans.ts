import type { ErrorInfo, KnownEvent, TelltaleEvent } from './event.ts';
import type { RunSnapshot, Span, SpanStatus } from './snapshot.ts';

/**
 * Lists that came into being during the current change: nobody has seen them, so they are changed in place. Without this
 * a run of n entities costs n² (20,000 activities: 1.2 s; so 5 ms).
 */
let fresh: Set<readonly unknown[]> | undefined;

/** Where the entities of a long list stand, by their keys. */
type Index = Map<string, number>;

/**
 * The index of a list, once asked for. Versions of a list share it, since entities only join at the end and keep their
 * places: what it says of a key holds for a version that has the place and that key there, and all others do not have the
 * key. An index made anew with each frame was a quarter of the time in which a page opened 200,000 events.
 */
const indexes = new WeakMap<readonly unknown[], Index>();

/** Makes steps of a fold that are one change: what one of them made, the next may change in place. */
export function asOneChange<S, E>(step: (state: S, event: E) => S): (state: S, event: E) => S {
  const own = new Set<readonly unknown[]>();
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
    key: () => ownedKey(agentId, id),
    keyOf: (it) => ownedKey(it.agentId, it.id),
  };
}

/** Both are whatever producers send: with the length no two pairs are one text. */
const ownedKey = (agentId: string | undefined, id: string): string => `${agentId?.length ?? ''}:${agentId ?? ''}${id}`;

/** The list with one entity changed, or added at its end. */
export function upsert<T>(list: readonly T[], which: Identity<T>, change: (it: T | undefined) => T): readonly T[] {
  const place = find(list, which);
  const own = mutable(list);
  if (place >= 0) own[place] = change(list[place]);
  else {
    own.push(change(undefined));
    note(own, which.key());
  }
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
  if (!fresh) return list.slice();
  const copy = copyOf(list);
  fresh.add(copy);
  return copy;
}

/** A copy of a list of a snapshot, for the same entities as they are later and more at its end: found as quickly in it. */
export function copyOf<T>(list: readonly T[]): T[] {
  const copy = list.slice();
  const index = indexes.get(list);
  if (index) indexes.set(copy, index);
  return copy;
}

/** Searched from the end, as what changes is nearly always recent; in a long list of many changes then by its index. */
function find<T>(list: readonly T[], { key, is, keyOf }: Identity<T>): number {
  const index = fresh && (indexes.get(list) ?? (fresh.has(list) && list.length > NEAR && indexOf(list, keyOf)));
  const near = index ? Math.max(0, list.length - NEAR) : 0;
  for (let i = list.length - 1; i >= near; i--) if (is(list[i] as T)) return i;
  const place = index && near > 0 ? index.get(key()) : undefined;
  return place !== undefined && place < list.length && is(list[place] as T) ? place : -1;
}

const NEAR = 4;

function indexOf<T>(list: readonly T[], keyOf: Identity<T>['keyOf']): Index {
  const index = new Map(list.map((it, i) => [keyOf(it), i]));
  indexes.set(list, index);
  return index;
}

/** The last entity of a list is new. Where another version has this key elsewhere, they cannot share an index. */
function note(list: readonly unknown[], key: string): void {
  const index = indexes.get(list);
  const place = list.length - 1;
  if ((index?.get(key) ?? place) === place) index?.set(key, place);
  else indexes.delete(list);
}

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
  const close = <T extends { status: string }>(spans: readonly T[]): readonly T[] => {
    // Nothing follows that would be looked for.
    indexes.delete(spans);
    return spans.some((span) => span.status === 'running')
      ? spans.map((span) => (span.status === 'running' ? { ...span, ...end, status: 'interrupted' } : span))
      : spans;
  };
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
