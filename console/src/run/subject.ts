import type { RunSnapshot, TelltaleEvent } from 'telltale/protocol';
import type { TimelineRow } from 'telltale/react';

/** What an event is about: what a row of the timeline shows. */
export type Subject = Told<TimelineRow>;
type Told<Row> = Row extends TimelineRow ? Pick<Row, 'kind' | 'item'> : never;

/** What most of what is shown has in common. */
export interface Outline {
  readonly name?: string;
  readonly status?: string;
  readonly agentId?: string;
  readonly seq?: number;
  readonly startSeq?: number;
  readonly endSeq?: number;
  readonly startedAt?: string;
  readonly askedAt?: string;
  readonly endedAt?: string;
  readonly durationMs?: number;
}

/** Activities and errors keep whatever fields a producer gave them: those are not taken for ours. */
export function outlineOf({ kind, item }: Subject): Outline {
  if (kind !== 'activity' && kind !== 'error') return item;
  const { seq, agentId } = item;
  return {
    seq,
    ...(agentId !== undefined && { agentId }),
    ...(kind === 'activity' && { name: item.action, status: item.status }),
  };
}

const LISTS = {
  agent: 'agents',
  step: 'steps',
  thinking: 'reasoning',
  message: 'messages',
  tool: 'tools',
  approval: 'approvals',
  activity: 'activities',
  command: 'commands',
  error: 'errors',
} as const satisfies Partial<Record<TimelineRow['kind'], keyof RunSnapshot>>;

type Kind = keyof typeof LISTS;
interface Entry {
  readonly id?: string;
  readonly seq?: number;
  readonly startSeq?: number;
  readonly endSeq?: number;
  readonly agentId?: string;
}
const KINDS = Object.keys(LISTS) as readonly Kind[];

/** How events name what they are about: the field of their data, by the first word of their type. */
const IDS: Readonly<Record<string, readonly [kind: Kind, field: string]>> = {
  step: ['step', 'stepId'],
  reasoning: ['thinking', 'reasoningId'],
  message: ['message', 'messageId'],
  tool: ['tool', 'toolCallId'],
  approval: ['approval', 'approvalId'],
  control: ['command', 'commandId'],
};

/**
 * Finds what the event of a number is about, in one snapshot of a run after the other: entities keep their place in their
 * lists, so that it is searched for only once.
 */
export function subjectAt(seq: number): (data: RunSnapshot, event?: TelltaleEvent) => Subject | undefined {
  let place: { readonly kind: Kind; readonly index: number; readonly key: string } | undefined;
  const at = (data: RunSnapshot, kind: Kind, index: number): Entry | undefined => data[LISTS[kind]][index];

  function find(data: RunSnapshot, fits: (entry: Entry, kind: Kind) => boolean): boolean {
    for (const kind of KINDS) {
      const list: readonly Entry[] = data[LISTS[kind]];
      const index = list.findIndex((entry) => fits(entry, kind));
      const entry = list[index];
      if (!entry) continue;
      place = { kind, index, key: keyOf(entry) };
      return true;
    }
    return false;
  }

  return (data, event) => {
    const known = place && at(data, place.kind, place.index);
    if (!place || !known || keyOf(known) !== place.key) {
      place = undefined;
      const isFound =
        // An error is told once: by what failed, if something did.
        find(data, (it, kind) => kind !== 'error' && (it.startSeq ?? it.seq) === seq) ||
        find(data, (it) => (it.endSeq ?? it.seq) === seq) ||
        (event !== undefined && find(data, (it, kind) => isAbout(event, it, kind)));
      if (!isFound) return undefined;
    }
    return place && ({ kind: place.kind, item: at(data, place.kind, place.index) } as Subject);
  };
}

const keyOf = ({ id, agentId, seq }: Entry): string => JSON.stringify([id ?? seq, agentId]);

function isAbout({ type, data, agent }: TelltaleEvent, entry: Entry, kind: Kind): boolean {
  const [about = kind, field = ''] = IDS[type.split('.', 1)[0] ?? ''] ?? [];
  if (type.startsWith('agent.')) return kind === 'agent' && entry.id === agent?.id;
  if (about !== kind || entry.id === undefined) return false;
  const isOurs = kind === 'step' || kind === 'approval' || kind === 'command' || entry.agentId === agent?.id;
  return isOurs && (data as Readonly<Record<string, unknown>>)[field] === entry.id;
}
