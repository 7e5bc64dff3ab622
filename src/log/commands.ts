import type { EncodedEvent, EventData } from '../protocol/index.ts';

/** A command that was asked for and neither applied nor refused yet. */
export interface OpenCommand {
  readonly commandId: string;
  readonly command: EventData<'control.requested'>['command'];
  /** Of its `control.requested`. */
  readonly seq: number;
}

/**
 * A run remembers so many at most: its record is written with every append. The newest count, and a cancel that is the
 * oldest: what wins over everything is not forgotten over what it wins over.
 */
const MOST = 16;

const APPLIED_BY: ReadonlyMap<string, OpenCommand['command']> = new Map([
  ['run.paused', 'pause'],
  ['run.resumed', 'resume'],
]);

/** The open commands of a run after a batch that begins at `first`, by the rules of the fold (PROTOCOL.md section 3). */
export function commandsAfter(
  before: readonly OpenCommand[],
  batch: readonly EncodedEvent[],
  first: number,
): readonly OpenCommand[] {
  let open = before;
  for (const [index, event] of batch.entries()) {
    const applied = APPLIED_BY.get(event.type);
    if (event.type === 'control.requested') {
      const { commandId, command } = dataOf<'control.requested'>(event);
      const isKnown = open.some((it) => it.commandId === commandId);
      if (isKnown) continue;
      open = [...open, { commandId, command, seq: first + index }];
      if (open.length > MOST) open = open.toSpliced(open[0]?.command === 'cancel' ? 1 : 0, 1);
    } else if (event.type === 'control.refused') {
      const { commandId } = dataOf<'control.refused'>(event);
      open = open.filter((it) => it.commandId !== commandId);
    } else if (applied) {
      const { commandId } = dataOf<'run.paused'>(event);
      open = open.filter((it) => it.command !== applied || (commandId !== undefined && it.commandId !== commandId));
    }
  }
  return open;
}

/** These are rare and small, so parsing them again is cheap enough. */
const dataOf = <T extends 'control.requested' | 'control.refused' | 'run.paused'>(event: EncodedEvent): EventData<T> =>
  (JSON.parse(`{${event.rest}`) as { data: EventData<T> }).data;
