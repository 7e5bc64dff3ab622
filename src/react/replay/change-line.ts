import type { Change } from '../../client/replay/index.ts';
import { visible } from '../parts/visible.ts';

/** What the lists of a snapshot hold, one of them. */
const NOUNS: Readonly<Record<Change['of'], string>> = {
  run: 'Run',
  steps: 'Step',
  agents: 'Agent',
  reasoning: 'Thinking',
  messages: 'Answer',
  tools: 'Tool',
  llmCalls: 'Model call',
  activities: 'Activity',
  approvals: 'Question',
  inputs: 'Input',
  commands: 'Command',
  errors: 'Error',
  artifacts: 'File',
  sources: 'Source',
  cost: 'Cost',
  tokens: 'Tokens',
  state: 'State changed',
  event: 'Event',
};
const STATUSES: Readonly<Record<string, string>> = { completed: 'done', requested: 'waiting for an answer' };

/**
 * A change in English, in a few words: `Tool search · running`, `Cost · +$0.002`. Names are written so that they can be read
 * (`visible`).
 *
 * @example
 * replay.changes().map((it) => changeLine(it)).join('. ');
 */
export function changeLine({ of, name, status, isNew, more, currency }: Change, locale = 'en'): string {
  const format: Intl.NumberFormatOptions = {
    signDisplay: 'always',
    ...(currency && { style: 'currency', currency, maximumFractionDigits: 4 }),
  };
  const amount = more === undefined ? undefined : new Intl.NumberFormat(locale, format).format(more);
  const unit = of === 'reasoning' || of === 'messages' ? ' characters' : '';
  const facts = [
    `${NOUNS[of]} ${visible(of === 'messages' && name === 'assistant' ? '' : name)}`.trim(),
    status === undefined ? isNew && !amount && 'new' : (STATUSES[status] ?? visible(status)),
    amount && `${amount}${unit}`,
  ];
  return facts.filter(Boolean).join(' · ');
}
