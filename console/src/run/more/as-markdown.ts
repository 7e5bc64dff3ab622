import type { RunSnapshot, ToolSpan } from 'telltale/protocol';
import { visible } from 'telltale/react/parts';
import { money, STATUS_WORDS } from '../../ui/format.ts';
import { titleOf } from '../heading.ts';
import { tookOf, tookWords } from '../took.ts';

/** More of an argument or a result is not of use to who reads the whole. */
const MOST_OF_A_VALUE = 400;
/** So many calls are written out; of more, the first and the last of them. */
const MOST_CALLS = 200;

/** A run to be read: by a person, or pasted to a model. Long values are cut, and say so. */
export function asMarkdown(run: RunSnapshot): string {
  const { agent, status, plan, steps, tools, errors, cost, events } = run;
  const facts = [
    `- Run: \`${run.runId}\`${agent === undefined ? '' : ` of agent ${line(agent)}`}`,
    `- State: ${STATUS_WORDS[status]}${run.durationMs === undefined ? '' : ` after ${tookWords(run.durationMs)}`}, ${events} events`,
    ...(cost ? [`- Cost: ${money(cost.amount, cost.currency)} (${cost.source})`] : []),
  ];
  const answers = run.messages.filter(({ role }) => role === 'assistant').map(({ text }) => text);
  return [
    `# ${line(titleOf(run))}`,
    facts.join('\n'),
    ...section('Input', run.input === undefined ? [] : [fenced(textOf(run.input))]),
    ...section('Plan', [
      ...(plan?.goal === undefined ? [] : [`${line(plan.goal)}\n`]),
      ...steps.map(
        ({ name, status, error }) => `- [${status === 'completed' ? 'x' : ' '}] ${line(name)}${failure(error)}`,
      ),
    ]),
    ...section('Tool calls', callsOf(tools)),
    ...section(
      'Errors',
      errors.map(({ code, message, seq }) => `- event ${seq}: ${line(`${code}: ${message}`)}`),
    ),
    ...section('Answer', answers),
  ].join('\n\n');
}

/** As models count, by the rule of thumb of four characters each. */
export const tokensOf = (text: string): number => Math.ceil(text.length / 4);

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [`## ${title}`, lines.join('\n')];

function callsOf(tools: readonly ToolSpan[]): string[] {
  if (tools.length <= MOST_CALLS) return tools.map(call);
  const half = MOST_CALLS / 2;
  const left = tools.length - MOST_CALLS;
  return [...tools.slice(0, half).map(call), `- … ${left} more …`, ...tools.slice(-half).map(call)];
}

function call(tool: ToolSpan): string {
  const took = tookOf(tool);
  const args = tool.args === undefined ? tool.argsText : textOf(tool.args);
  const how = `${tool.status}${took === undefined ? '' : ` in ${tookWords(took)}`}${failure(tool.error)}`;
  const result = tool.result === undefined ? '' : ` → ${code(textOf(tool.result))}`;
  return `- **${line(tool.name)}** ${args === '' ? '' : `${code(args)} `}${how}${result}`;
}

const failure = (error: { readonly message: string } | undefined): string => (error ? `: ${line(error.message)}` : '');
const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
const cut = (text: string): string =>
  text.length > MOST_OF_A_VALUE ? `${text.slice(0, MOST_OF_A_VALUE)}… (${text.length} characters)` : text;
const line = (text: string): string => visible(text.replace(/\s+/g, ' ').trim());

/** What the text holds cannot end it: the fence is longer than any in it (CommonMark 4.5, 6.1). */
function code(text: string): string {
  const shown = line(cut(text));
  const fence = fenceFor(shown, 1);
  return `${fence} ${shown} ${fence}`;
}
function fenced(text: string): string {
  const fence = fenceFor(text, 3);
  return `${fence}\n${visible(cut(text), true)}\n${fence}`;
}
const fenceFor = (text: string, least: number): string =>
  '`'.repeat(Math.max(least, ...(text.match(/`+/g) ?? []).map((it) => it.length + 1)));
