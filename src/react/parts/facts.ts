import { durationOf } from '../duration.ts';
import { line, type Standing } from './labels.ts';
import { visible } from './visible.ts';
import type { Words } from './words.ts';

/** How something stands, how long it took (`durationMs`, else between its two events), and what else there is to say. */
export function factsOf(
  span: { readonly status: Standing } & Parameters<typeof durationOf>[0],
  words: Words,
  more = '',
  ms = durationOf(span),
): string {
  return line(words.standing(span.status), ms === undefined ? '' : words.duration(ms), visible(more));
}
