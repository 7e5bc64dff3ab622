import type { RunSnapshot } from 'telltale/protocol';

/** Where a question stands in inputs that are objects. */
const QUESTIONS = ['question', 'prompt', 'task', 'text', 'message', 'query', 'topic', 'goal', 'content'] as const;
const MAX = 120;

/** What a run is about, in a line: the title it was given, or the first line of what it was asked; else its agent. */
export function titleOf({ metadata, input, agent }: Pick<RunSnapshot, 'metadata' | 'input' | 'agent'>): string {
  const given = metadata?.title;
  const line = firstLine(typeof given === 'string' ? given : (questionOf(input) ?? ''));
  return line || agent || 'Run';
}

/** The question within an input, where there is one to be found. */
export function questionOf(input: unknown): string | undefined {
  if (typeof input === 'string') return input;
  if (typeof input !== 'object' || input === null) return undefined;
  if (Array.isArray(input)) return input.map(questionOf).findLast((it) => it !== undefined);
  const fields = input as Readonly<Record<string, unknown>>;
  const named = QUESTIONS.map((name) => fields[name]).find((it) => typeof it === 'string');
  return (named as string | undefined) ?? questionOf(fields.messages);
}

function firstLine(text: string): string {
  const line = text.trimStart().split('\n', 1)[0]?.trim() ?? '';
  return line.length > MAX ? `${line.slice(0, MAX - 1).trimEnd()}…` : line;
}
