/** Frames that stand for several deltas (PROTOCOL.md section 5). No import of zod: clients take them apart too. */
import { TelltaleError } from './errors.ts';
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

/**
 * Merged text cannot be cut at a number: whoever has part of it has to ask for the rest, by its own cursor.
 *
 * @throws {TelltaleError} `stream_broken` where `known` lies inside the range that a frame stands for.
 */
export function checkWhole({ first, seq }: Pick<Envelope, 'first' | 'seq'>, known: number): void {
  if (first === undefined || first > known || seq <= known) return;
  const detail = `Deltas ${first} to ${seq} came merged, of which those up to ${known} are known. Go on after the cursor of ${known}.`;
  throw new TelltaleError('stream_broken', detail, { known, first, seq });
}
