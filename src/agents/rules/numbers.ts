import type { Statistics } from '../tools/statistics.ts';
import type { Column, Table } from '../tools/table.ts';
import type { ToolCall } from '../tools/toolbox.ts';
import { cite, counted, type Decide, linesOf, named, results, tried, troubles } from './move.ts';

/** How much and how many? Counts the folder, adds up its tables, and quotes the rows that hold the extremes. */
export const numbers: Decide = ({ question: { terms }, listing: { folder } }, seen) => {
  const [counts] = results(seen, 'statistics');
  const [mentions] = results(seen, 'grep');
  if (seen.length === 0) {
    return {
      note: `I count what is there${terms.length > 0 ? `, and where ${named(terms)} stands` : ''}.`,
      calls: [
        { tool: 'statistics', args: { folder } },
        ...(terms.length > 0 ? [{ tool: 'grep', args: { terms, folder } } as const] : []),
      ],
    };
  }
  const columns = counts ? relevant(counts.tables, terms) : [];
  const passages = results(seen, 'read');
  const rows = columns.flatMap(({ table, column }) => [
    { path: table.path, from: column.max.line, why: `highest ${column.name}` },
    { path: table.path, from: column.min.line, why: `lowest ${column.name}` },
  ]);
  if (!tried(seen, 'read') && rows.length > 0) {
    const calls = rows.map(({ path, from }): ToolCall => ({ tool: 'read', args: { path, from, count: 1 } }));
    return { note: `I read the rows with the extremes of ${named(columns.map((it) => it.column.name))}.`, calls };
  }
  const lines = linesOf(passages);
  const extremes = rows.flatMap(({ path, from, why }) => {
    const row = lines.find((it) => it.path === path && it.line === from);
    return row ? cite(row, why) : [];
  });
  const examples = extremes.length > 0 ? [] : (mentions?.hits ?? []).slice(0, 4).flatMap((it) => cite(it));
  const notes = [
    ...(counts ? tell(counts) : []),
    ...columns.map(describe),
    ...Object.entries(mentions?.counts ?? {}).map(([term, n]) => `“${term}” stands on ${counted(n, 'line')}.`),
    ...troubles(seen),
  ];
  return { note: 'Counted.', report: { notes, findings: [...extremes, ...examples] } };
};

interface TableColumn {
  readonly table: Table;
  readonly column: Column;
}

/** Columns that the question names, by their own name or their table's; else the first ones there are. */
function relevant(tables: readonly Table[], terms: readonly string[]): TableColumn[] {
  const all = tables.flatMap((table) => table.figures.map((column) => ({ table, column })));
  const asked = all.filter(({ column }) => terms.some((it) => column.name.toLowerCase().includes(it)));
  const near = all.filter(({ table }) => terms.some((it) => table.path.toLowerCase().includes(it)));
  return (asked.length > 0 ? asked : near.length > 0 ? near : all).slice(0, 2);
}

function tell({ lines, words, headings, definitions, types, largest, looked }: Statistics): string[] {
  const by = types
    .slice(0, 5)
    .map(({ type, files, lines }) => `${type || 'no extension'} ${files} (${counted(lines, 'line')})`);
  return [
    `${counted(looked.files, 'text file')}, ${counted(lines, 'line')}, ${counted(words, 'word')}, ${counted(headings, 'heading')}, ${counted(definitions, 'definition')}.`,
    ...(looked.unread > 0 ? [`${counted(looked.unread, 'file')} not counted: not text, or closed to me.`] : []),
    ...(by.length > 0 ? [`By type: ${by.join(', ')}.`] : []),
    ...(largest[0]
      ? [
          `Longest: ${largest
            .slice(0, 3)
            .map((it) => `${it.path} (${counted(it.lines, 'line')})`)
            .join(', ')}.`,
        ]
      : []),
  ];
}

function describe({ table, column: { name, sum, count, min, max } }: TableColumn): string {
  const rows = counted(table.rows, 'row');
  return `${table.path}, ${rows}: ${name} adds up to ${round(sum)}, ${round(sum / count)} on average, ${min.value} to ${max.value}.`;
}

const round = (value: number): number => Math.round(value * 100) / 100;
