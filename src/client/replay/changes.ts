import type { RunSnapshot, TelltaleEvent } from '../../protocol/index.ts';

/** One thing that an event changed in what a run shows. */
export interface Change {
  /** What it is. `event`: nothing that is shown; `name` is its type. */
  readonly of: keyof typeof NAMED | 'run' | 'cost' | 'tokens' | 'state' | 'event';
  /** What it is called: a step, a tool, an agent by its name, a question by its words. As the producer wrote it. */
  readonly name: string;
  /** How it stands now. */
  readonly status?: string;
  /** Whether it was not there before. */
  readonly isNew?: boolean;
  /** How much more: characters of a text, tokens, money. */
  readonly more?: number;
  /** Of the money. */
  readonly currency?: string;
}

/** What entities have, of whatever kind. */
interface Entity {
  readonly name?: string;
  readonly status?: string;
  readonly text?: string;
  readonly [more: string]: unknown;
}

/** The lists of a snapshot, and which of an entity's fields is its name. */
const NAMED = {
  steps: 'name',
  agents: 'name',
  reasoning: '',
  messages: 'role',
  tools: 'name',
  llmCalls: 'model',
  activities: 'action',
  approvals: 'prompt',
  inputs: '',
  commands: 'command',
  errors: 'message',
  artifacts: 'name',
  sources: 'title',
} as const;

/** What an event changed in a snapshot, as `reduce` made the one after it of the one before. */
export function changesBetween(before: RunSnapshot, after: RunSnapshot, event: TelltaleEvent): readonly Change[] {
  const changes: Change[] = [];
  if (before.status !== after.status || before.seq === 0) {
    changes.push({ of: 'run', name: after.agent ?? '', status: after.status });
  }
  for (const [of, field] of Object.entries(NAMED) as [keyof typeof NAMED, string][]) {
    const [old, now] = [before[of] as readonly Entity[], after[of] as readonly Entity[]];
    if (old === now) continue;
    for (let i = 0; i < now.length; i++) {
      if (now[i] !== old[i]) changes.push(changeOf(of, old[i], now[i] as Entity, field));
    }
  }
  const cost = (after.cost?.amount ?? 0) - (before.cost?.amount ?? 0);
  if (cost !== 0) changes.push({ of: 'cost', name: '', more: cost, currency: after.cost?.currency ?? '' });
  const tokens = (after.usage?.totalTokens ?? 0) - (before.usage?.totalTokens ?? 0);
  if (tokens !== 0) changes.push({ of: 'tokens', name: '', more: tokens });
  if (before.state !== after.state) changes.push({ of: 'state', name: '' });
  return changes.length > 0 ? changes : [{ of: 'event', name: event.type }];
}

function changeOf(
  of: keyof typeof NAMED,
  before: Entity | undefined,
  { text, status, ...now }: Entity,
  field: string,
): Change {
  const more = (text?.length ?? 0) - (before?.text?.length ?? 0);
  return {
    of,
    name: String(now[field] ?? ''),
    ...(!before && { isNew: true }),
    ...(status !== undefined && status !== before?.status && { status }),
    ...(more !== 0 && { more }),
  };
}
