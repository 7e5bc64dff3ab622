/** How something stands, in one word. */
export type Standing =
  | 'pending'
  | 'queued'
  | 'running'
  | 'paused'
  | 'completed'
  | 'failed'
  | 'interrupted'
  | 'cancelled'
  | 'denied'
  | 'requested'
  | 'resolved'
  | 'expired';

/** Which maximum a budget has. */
export type BudgetLimit = 'cost' | 'tokens' | 'toolCalls';

/**
 * Every word the parts say. The last argument is always the locale; durations are milliseconds; what is not known is
 * `undefined`, never zero.
 */
export interface Labels {
  number(value: number, locale: string): string;
  duration(ms: number, locale: string): string;
  /** Without a currency it is a plain number. */
  money(amount: number, currency: string | undefined, locale: string): string;
  standing(standing: Standing, locale: string): string;
  /** The chip of thinking. */
  thinking(how: 'running' | 'completed' | 'interrupted', ms: number | undefined, tools: number, locale: string): string;
  toolArgs(locale: string): string;
  toolResult(locale: string): string;
  plan(locale: string): string;
  planProgress(done: number, total: number, locale: string): string;
  answer(locale: string): string;
  connecting(locale: string): string;
  catchingUp(done: number, total: number, locale: string): string;
  live(events: number, sinceLastMs: number | undefined, locale: string): string;
  /** How long ago it was lost, and in what time the next attempt comes. */
  reconnecting(lostMs: number | undefined, retryMs: number | undefined, locale: string): string;
  offline(locale: string): string;
  /** It gave up: `message` says why. */
  lost(message: string | undefined, locale: string): string;
  paused(why: 'budget' | undefined, locale: string): string;
  completed(ms: number | undefined, events: number, cost: string | undefined, locale: string): string;
  failed(message: string | undefined, locale: string): string;
  cancelled(by: string | undefined, locale: string): string;
  retry(locale: string): string;
  budget(limit: BudgetLimit, locale: string): string;
  /** `used` and `max` are written out already. */
  budgetUsed(limit: BudgetLimit, used: string | undefined, max: string, locale: string): string;
  timeline(locale: string): string;
  toEnd(rows: number, locale: string): string;
  approval(prompt: string, locale: string): string;
  /** What is announced, besides the lines above. */
  announceLive(locale: string): string;
  announceAnswer(locale: string): string;
  announceStep(step: number, total: number, name: string, locale: string): string;
}

/** Making one costs some 50 µs, and a clock ticks. */
const formats = new Map<string, Intl.NumberFormat>();
function format(value: number, locale: string, options: Intl.NumberFormatOptions = {}): string {
  const key = JSON.stringify([locale, options]);
  let it = formats.get(key);
  if (!it) {
    it = new Intl.NumberFormat(locale, options);
    formats.set(key, it);
  }
  return it.format(value);
}

const plural = (count: number, one: string, locale: string): string =>
  `${format(count, locale)} ${one}${count === 1 ? '' : 's'}`;
const line = (...parts: readonly (string | undefined)[]): string => parts.filter(Boolean).join(' · ');
const LIMITS = { cost: 'Cost', tokens: 'Tokens', toolCalls: 'Tool calls' };
const STANDINGS: Partial<Record<Standing, string>> = { completed: 'done', requested: 'waiting for an answer' };

/**
 * English. The signs for seconds, minutes and hours (s, min, h) are those of the SI, the same in every language.
 *
 * @example
 * const de = { plan: () => 'Plan', retry: () => 'Jetzt verbinden' } satisfies Partial<Labels>;
 * <TelltaleProvider url="/" labels={de} locale="de">…</TelltaleProvider>
 */
export const english: Labels = {
  number: (value, locale) => format(value, locale),
  duration(ms, locale) {
    const unit = (value: number, name: string) => `${format(value, locale)} ${name}`;
    if (ms < 950) return `${format(ms / 1_000, locale, { maximumFractionDigits: 1 })} s`;
    const seconds = Math.round(ms / 1_000);
    const [h, min, s] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
    return [h && unit(h, 'h'), min && unit(min, 'min'), !h && (s || !min) && unit(s, 's')].filter(Boolean).join(' ');
  },
  money: (amount, currency, locale) =>
    // What a run costs is often less than a cent.
    format(amount, locale, {
      ...(currency !== undefined && { style: 'currency', currency }),
      maximumFractionDigits: amount < 0.1 ? 4 : 2,
    }),
  standing: (standing) => STANDINGS[standing] ?? standing,
  thinking: (how, ms, tools, locale) =>
    line(
      { running: 'Thinking…', completed: 'Thinking finished', interrupted: 'Thinking stopped' }[how],
      ms === undefined ? undefined : english.duration(ms, locale),
      tools > 0 ? plural(tools, 'tool', locale) : undefined,
    ),
  toolArgs: () => 'Arguments',
  toolResult: () => 'Result',
  plan: () => 'Plan',
  planProgress: (done, total, locale) => `${format(done, locale)} of ${plural(total, 'step', locale)}`,
  answer: () => 'Answer',
  connecting: () => 'Connecting…',
  catchingUp: (done, total, locale) => `Catching up · ${format(done, locale)} of ${format(total, locale)}`,
  live: (events, ms, locale) =>
    line(
      'Live',
      plural(events, 'event', locale),
      ms === undefined ? undefined : `last ${english.duration(ms, locale)} ago`,
    ),
  reconnecting: (lost, retry, locale) =>
    `Connection lost${lost === undefined ? '' : ` ${english.duration(lost, locale)} ago`}. The run continues. ` +
    (retry === undefined ? 'Retrying now.' : `Retrying in ${english.duration(retry, locale)}.`),
  offline: () => 'No network. The run continues; this page comes back with the network.',
  lost: (message) => `Not connected${message ? `: ${message}` : '.'}`,
  paused: (why) => `Paused${why ? ' by budget' : ''}. Waiting for a decision.`,
  completed: (ms, events, cost, locale) =>
    line(
      `Finished${ms === undefined ? '' : ` in ${english.duration(ms, locale)}`}`,
      plural(events, 'event', locale),
      cost,
    ),
  failed: (message) => `Failed${message ? `: ${message}` : '.'}`,
  cancelled: (by) => `Cancelled${by === undefined ? '' : ` by ${by}`}.`,
  retry: () => 'Retry now',
  budget: (limit) => `Budget: ${LIMITS[limit]}`,
  budgetUsed: (limit, used, max) =>
    `${LIMITS[limit]}: ${used === undefined ? `not known, at most ${max}` : `${used} of ${max}`}`,
  timeline: () => 'Timeline',
  toEnd: (rows, locale) => (rows > 0 ? `${format(rows, locale)} new ↓` : 'To the end ↓'),
  approval: (prompt) => `Approval needed: ${prompt}`,
  announceLive: () => 'Live',
  announceAnswer: () => 'Answering',
  announceStep: (step, total, name, locale) => `Step ${format(step, locale)} of ${format(total, locale)}: ${name}`,
};
