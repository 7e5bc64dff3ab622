import type { KnownEvent, RunSnapshot, TextSpan } from '../protocol/index.ts';
import { type Scene, whose } from './describe.ts';
import { isNoModel } from './phrases.ts';
import type { Output, Span } from './screen.ts';

/** Thinking and answers: texts that come bit by bit, or whole at their end. */
export function speak(event: KnownEvent, { before, after }: Scene): readonly Output[] {
  if (!isText(event)) return [];
  const isThought = event.type.startsWith('reasoning.');
  const [was, is] = [span(event, before), span(event, after)];
  if (!is) return [];
  const key = `${event.runId} ${event.agent?.id} ${event.type.split('.')[0]} ${is.id}`;
  const label: Span[] = isThought ? [...whose(event), [`${thinking(event, after)}: `, 'dim']] : [];
  const look = { key, before: label, ...(isThought && { style: 'dim' as const }) };
  const more = is.text.startsWith(was?.text ?? '') ? is.text.slice(was?.text.length ?? 0) : `\n${is.text}`;
  const text: Output[] = more === '' ? [] : [{ ...look, kind: 'text', text: more }];
  // An answer stands by itself, under the name of who gives it.
  const opening: Output[] =
    !isThought && !was?.text && more !== ''
      ? [line(), line([`${event.agent?.name ?? after.agent ?? 'the agent'} says`, 'bold'])]
      : [];
  const ends = event.type.endsWith('.completed');
  return [
    ...opening,
    ...text,
    ...(ends ? [{ ...look, kind: 'end', text: '' } as const] : []),
    ...(ends && !isThought ? [line()] : []),
  ];
}

const line = (...spans: Span[]): Output => ({ kind: 'line', spans });

type TextEvent = KnownEvent & { type: `${'reasoning' | 'message'}.${'started' | 'delta' | 'completed'}` };

const isText = (event: KnownEvent): event is TextEvent => /^(?:reasoning|message)\./.test(event.type);

function span(event: TextEvent, { reasoning, messages }: RunSnapshot): TextSpan | undefined {
  const [all, id] =
    'reasoningId' in event.data ? [reasoning, event.data.reasoningId] : [messages, event.data.messageId];
  return all.findLast((it) => it.id === id && it.agentId === event.agent?.id);
}

/** What an agent without a model says of its steps is no thinking. */
function thinking({ agent }: TextEvent, { agents }: RunSnapshot): string {
  return isNoModel(agents.find((it) => it.id === agent?.id)?.model) ? 'planner note' : 'thinking';
}
