import type { Findings, Table } from './scenarios/scenario.ts';

/** Findings as Markdown, the columns aligned so that a terminal shows them as well. */
export function report({ title, tables, notes }: Findings): string {
  const parts = tables.map((it) => `${it.caption === undefined ? '' : `${it.caption}\n\n`}${table(it)}`);
  return `\n## ${title}\n\n${[...parts, notes.map((it) => `- ${it}`).join('\n')].join('\n\n')}\n`;
}

function table({ head, rows }: Table): string {
  const lines = [head, ...rows];
  const widths = head.map((_, i) => Math.max(3, ...lines.map((line) => line[i]?.length ?? 0)));
  const show = (line: readonly string[]): string => `| ${line.map((it, i) => it.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [show(head), `|${widths.map((it) => '-'.repeat(it + 2)).join('|')}|`, ...rows.map(show)].join('\n');
}
