import type { KnownEvent } from '../protocol/index.ts';
import type { Scene } from './describe.ts';
import { count, failure, tokens, took } from './phrases.ts';
import type { Span } from './screen.ts';

/** How a run ended, and what it took. */
export function summarise(event: KnownEvent, { after }: Scene): readonly (readonly Span[])[] {
  const { agents, tools, sources, usage, cost, durationMs, events } = after;
  const failed = tools.filter((it) => it.status === 'failed').length;
  const facts = [
    count(agents.length, 'agent'),
    `${count(tools.length, 'tool call')}${failed > 0 ? ` (${failed} failed)` : ''}`,
    sources.length > 0 ? count(sources.length, 'source') : undefined,
    tokens(usage),
    cost && `${cost.amount} ${cost.currency} (${cost.source})`,
    count(events, 'event'),
  ];
  const rest: Span = [`${took(durationMs)} · ${facts.filter((it) => it !== undefined).join(' · ')}`, 'dim'];
  switch (event.type) {
    case 'run.completed':
      return [[['✓ completed', 'green'], rest]];
    case 'run.failed':
      return [[['✗ failed', 'red'], ` ${failure(event.data.error)}`], [rest]];
    case 'run.cancelled': {
      const { by, reason } = event.data;
      return [
        [
          ['■ cancelled', 'yellow'],
          `${by === undefined ? '' : ` by ${by}`}${reason === undefined ? '' : `: ${reason}`}`,
          rest,
        ],
      ];
    }
    default:
      return [];
  }
}
