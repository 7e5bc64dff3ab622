import type { ToolSpan } from 'telltale/protocol';
import { visible } from 'telltale/react/parts';

const MAX = 90;
const MAX_VALUE = 40;

/** What a tool was called with, in a line: `q: "8f2c", limit: 20`. As far as it has come while it is streamed. */
export function argsLine({ args, argsText }: Pick<ToolSpan, 'args' | 'argsText'>): string {
  if (args === undefined) return short(visible(argsText.slice(-MAX)), MAX);
  if (typeof args !== 'object' || args === null || Array.isArray(args)) return valueLine(args);
  let line = '';
  for (const [name, value] of Object.entries(args)) {
    line += `${line && ', '}${visible(name)}: ${valueLine(value)}`;
    if (line.length > MAX) break;
  }
  return short(line, MAX);
}

/** Of a large value only as much is written as is shown. */
function valueLine(value: unknown): string {
  if (typeof value === 'string') return visible(JSON.stringify(short(value, MAX_VALUE)));
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[${value.length}]`;
  if (typeof value === 'object' && value !== null) return '{…}';
  return String(value);
}

const short = (text: string, max: number): string => (text.length > max ? `${text.slice(0, max - 1)}…` : text);
