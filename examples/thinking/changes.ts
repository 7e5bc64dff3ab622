/** Change requests as a service desk exports them, and what can be read off them. */
const COLUMNS = ['number', 'title', 'service', 'state', 'risk', 'start', 'end', 'backout', 'approver'] as const;

/** Everything is text as it stands in the file; `start` and `end` are like `2026-11-24T22:00`. */
export type Change = Readonly<Record<(typeof COLUMNS)[number], string>>;

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d$/;

/** @throws where a line is none of that. Values have no commas in them. */
export function parseChanges(csv: string): Change[] {
  const [header = '', ...lines] = csv.trim().split(/\r?\n/);
  if (header.trim() !== COLUMNS.join(',')) throw new Error(`The first line of the file must be ${COLUMNS.join(',')}`);
  return lines.map((line, i) => {
    const values = line.split(',').map((it) => it.trim());
    const change = Object.fromEntries(COLUMNS.map((column, at) => [column, values[at] ?? ''])) as Change;
    if (values.length === COLUMNS.length && TIME.test(change.start) && TIME.test(change.end)) return change;
    throw new Error(`Line ${i + 2} of the file is no change request: ${line}`);
  });
}

/** What is still to come: neither done nor called off. */
export const isOpen = ({ state }: Change): boolean => state === 'scheduled' || state === 'awaiting approval';

/** Two changes of one service at the same time. */
export function conflictsOf(changes: readonly Change[]): (readonly [Change, Change])[] {
  return changes.flatMap((one, i) =>
    changes
      .slice(i + 1)
      .filter((other) => one.service === other.service && one.start < other.end && other.start < one.end)
      .map((other) => [one, other] as const),
  );
}

export const name = ({ number, title }: Change): string => `${number} (${title})`;
