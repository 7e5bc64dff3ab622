import type { KnownEvent, TelltaleEvent } from '../../protocol/index.ts';

/** What a reader looks for in a run: where a step began, something failed, people were asked, the run was held. */
export type MarkKind = 'step' | 'error' | 'approval' | 'pause';

/** A place worth going to. */
export interface Mark {
  readonly kind: MarkKind;
  readonly seq: number;
  /** When it happened by the log, in milliseconds since 1970. */
  readonly time: number;
  /** The name of the step, what went wrong, what was asked or why it was held; the beginning of it. As the producer wrote it. */
  readonly label: string;
}

const LABEL = 200;

/** What an event is a mark of. */
export function markOf(event: TelltaleEvent): Mark | undefined {
  const told = tell(event as KnownEvent);
  return (
    told && {
      kind: told[0],
      seq: event.seq,
      time: Date.parse(event.time) || 0,
      label: String(told[1] ?? '').slice(0, LABEL),
    }
  );
}

function tell({ type, data }: KnownEvent): readonly [MarkKind, string | undefined] | undefined {
  switch (type) {
    case 'step.started':
      return ['step', data.name];
    case 'approval.requested':
      return ['approval', data.prompt];
    case 'run.paused':
      return ['pause', data.reason];
    case 'run.failed':
    case 'step.failed':
    case 'agent.failed':
    case 'llm.failed':
    case 'tool.failed':
    case 'error.reported':
      return ['error', data.error.message];
  }
  return undefined;
}
