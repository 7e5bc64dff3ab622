/** A column of figures. Lines are counted from 1. */
export interface Column {
  readonly name: string;
  readonly count: number;
  readonly sum: number;
  readonly min: { readonly value: number; readonly line: number };
  readonly max: { readonly value: number; readonly line: number };
}

export interface Table {
  readonly path: string;
  /** Without the heading. */
  readonly rows: number;
  readonly columns: readonly string[];
  /** Columns in which every cell that is filled is a number. */
  readonly figures: readonly Column[];
}

const MAX_COLUMNS = 50;

/** Reads a CSV or TSV file (RFC 4180: quoted cells may hold separators and line ends) whose first row is its heading. */
export function tabulate(path: string, lines: readonly string[]): Table | undefined {
  const separator = path.endsWith('.tsv')
    ? '\t'
    : (lines[0]?.split(';').length ?? 0) > (lines[0]?.split(',').length ?? 0)
      ? ';'
      : ',';
  const rows = rowsOf(lines, separator);
  const heading = rows.shift();
  if (!heading) return undefined;
  const columns = heading.cells.slice(0, MAX_COLUMNS);
  return { path, rows: rows.length, columns, figures: columns.flatMap((name, i) => figuresOf(name, i, rows) ?? []) };
}

interface Row {
  readonly line: number;
  readonly cells: readonly string[];
}

function rowsOf(lines: readonly string[], separator: string): Row[] {
  const rows: Row[] = [];
  let cells: string[] = [];
  let cell = '';
  let quoted = false;
  let start = 1;
  for (const [index, text] of lines.entries()) {
    if (!quoted && cells.length === 0) start = index + 1;
    for (let i = 0; i < text.length; i++) {
      const char = text[i];
      if (char === '"' && quoted && text[i + 1] === '"') cell += text[++i];
      else if (char === '"') quoted = !quoted;
      else if (char === separator && !quoted) {
        cells.push(cell.trim());
        cell = '';
      } else cell += char;
    }
    if (quoted) {
      cell += '\n';
      continue;
    }
    cells.push(cell.trim());
    if (cells.length > 1 || cells[0] !== '') rows.push({ line: start, cells });
    cells = [];
    cell = '';
  }
  return rows;
}

function figuresOf(name: string, index: number, rows: readonly Row[]): Column | undefined {
  let [count, sum] = [0, 0];
  let min = { value: Number.POSITIVE_INFINITY, line: 0 };
  let max = { value: Number.NEGATIVE_INFINITY, line: 0 };
  for (const { cells, line } of rows) {
    const cell = cells[index];
    if (cell === undefined || cell === '') continue;
    if (!/^[-+]?\d+(?:\.\d+)?$/.test(cell)) return undefined;
    const value = Number(cell);
    count++;
    sum += value;
    if (value < min.value) min = { value, line };
    if (value > max.value) max = { value, line };
  }
  return count === 0 ? undefined : { name, count, sum, min, max };
}
