/** Frames that stand for several deltas (PROTOCOL.md section 5). No import of zod: clients take them apart too. */
import type { Envelope, KnownEvent, TelltaleEvent } from './event.ts';

/** The type of a frame with deltas of more than one entity. Never stored; producers are refused it. */
export const MERGED_DELTAS = 'deltas.merged';

/** Deltas of several entities, in the order in which each began. Each entity is there once, with all its text. */
export type MergedDeltas = Envelope & {
  readonly type: typeof MERGED_DELTAS;
  readonly data: { readonly deltas: readonly KnownEvent[] };
};

/**
 * What a frame says, an event for each entity: itself, unless it is one of merged deltas.
 *
 * @example
 * for (const { type, data } of deltasOf(event)) if (type === 'message.delta') print(data.delta);
 */
export function deltasOf(event: TelltaleEvent): readonly TelltaleEvent[] {
  return isMerged(event) ? event.data.deltas : [event];
}

function isMerged(event: TelltaleEvent | MergedDeltas): event is MergedDeltas {
  return event.type === MERGED_DELTAS;
}
