import type { ErrorInfo, Usage } from '../protocol/index.ts';

/** 480 ms · 2.4 s · 3 min 05 s */
export function duration(milliseconds: number): string {
  if (milliseconds < 1) return '<1 ms';
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1_000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1_000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}

/** The duration behind a space; nothing where the producer did not measure it. */
export const took = (milliseconds: number | undefined): string =>
  milliseconds === undefined ? '' : ` ${duration(milliseconds)}`;

/** More is never shown on a line; a result may have a quarter of a megabyte. */
const PREVIEW = 2_000;

/** Any value on one line: texts as they are, everything else as JSON. */
export function preview(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return text.slice(0, PREVIEW);
}

export const failure = ({ code, message }: ErrorInfo): string => `${message} (${code})`;

export const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;

/** "1,204 tokens (900 in, 304 out)"; nothing where nothing is known. */
export function tokens(usage: Usage | undefined): string | undefined {
  const { inputTokens: input, outputTokens: output } = usage ?? {};
  const total = usage?.totalTokens ?? (input !== undefined && output !== undefined ? input + output : undefined);
  if (total === undefined) return undefined;
  const parts = input !== undefined && output !== undefined ? ` (${input} in, ${output} out)` : '';
  return `${count(total, 'token')}${parts}`;
}

/** Whether a model's name says that there is none: rules decide. */
export const isNoModel = (model: string | undefined): boolean => model !== undefined && /\bno LLM\b/.test(model);
