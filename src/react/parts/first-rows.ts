import type { Mounted } from './scroller.ts';

/** As the scroller estimates: so high is a row, and so many fit on a screen, with some to spare. */
const ROW_HEIGHT = 32;
const ROWS = 29;

/** The newest of so many rows, to be shown before there is a scroller, at the places that it gives them at first. */
export function firstRows(rows: number): Mounted {
  const start = Math.max(0, rows - ROWS);
  return { start, end: rows, before: start * ROW_HEIGHT, after: 0 };
}
