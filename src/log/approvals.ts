import type { EncodedEvent, EventData } from '../protocol/index.ts';

/** A question that nobody has answered yet, and that has not expired. */
export interface OpenApproval {
  readonly approvalId: string;
  /** Of its `approval.requested`. */
  readonly seq: number;
  /** RFC 3339. */
  readonly expiresAt?: string;
}

/** A run remembers so many at most: its record is written with every append. The newest count. */
const MOST = 32;

/** The open questions of a run after a batch that begins at `first`, by the rules of the fold (PROTOCOL.md section 3). */
export function approvalsAfter(
  before: readonly OpenApproval[],
  batch: readonly EncodedEvent[],
  first: number,
): readonly OpenApproval[] {
  let open = before;
  for (const [index, { type, rest }] of batch.entries()) {
    if (!type.startsWith('approval.')) continue;
    // These are rare, so parsing them again is cheap enough.
    const { data } = JSON.parse(`{${rest}`) as { data: EventData<'approval.requested'> };
    const { approvalId, expiresAt } = data;
    const isKnown = open.some((it) => it.approvalId === approvalId);
    if (type !== 'approval.requested') {
      if (isKnown) open = open.filter((it) => it.approvalId !== approvalId);
    } else if (!isKnown) {
      open = [...open, { approvalId, seq: first + index, ...(expiresAt !== undefined && { expiresAt }) }].slice(-MOST);
    }
  }
  return open;
}
