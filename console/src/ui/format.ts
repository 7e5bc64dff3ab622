import type { ListedRun } from 'telltale/client';
import { english } from 'telltale/react/parts';

const LOCALE = 'en';

/** As the library's parts write them, so that one page speaks one language. */
export const count = (value: number): string => english.number(value, LOCALE);
export const duration = (ms: number): string => english.duration(ms, LOCALE);
export const money = (amount: number, currency: string | undefined): string => english.money(amount, currency, LOCALE);

/** `1 run`, `2 runs`. */
export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

const moment = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'long' });
const clock = new Intl.DateTimeFormat(LOCALE, { timeStyle: 'medium', hourCycle: 'h23' });

/** A time of the log (RFC 3339) with its date and its zone. */
export const absolute = (time: string): string => moment.format(new Date(time));
/** The time of day. */
export const timeOfDay = (time: string): string => clock.format(new Date(time));

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How long ago, as coarse as people say it: `3 s`, `12 min`, `2 h`, `4 d`. A clock that is ahead makes nothing negative. */
export function ago(time: string, now: number): string {
  const ms = Math.max(0, now - Date.parse(time));
  if (ms < 60_000) return `${Math.floor(ms / 1_000)} s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / 60_000)} min`;
  if (ms < DAY_MS) return `${Math.floor(ms / HOUR_MS)} h`;
  return `${count(Math.floor(ms / DAY_MS))} d`;
}

/** Ids are long. Random ones are told apart by their beginning, `nightly-2026-11-21` and the next one by their end. */
export const shortId = (id: string): string => (id.length > 12 ? `${id.slice(0, 6)}…${id.slice(-4)}` : id);

/** How a run stands, in a word. */
export const STATUS_WORDS: Readonly<Record<ListedRun['status'], string>> = {
  queued: 'waiting',
  running: 'running',
  paused: 'paused',
  completed: 'finished',
  failed: 'failed',
  cancelled: 'cancelled',
};
