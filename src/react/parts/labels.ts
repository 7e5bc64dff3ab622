import type { BudgetLimit, BudgetUse, Command, EventData } from '../../protocol/index.ts';
import type { Counts } from '../agent-counts.ts';

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
  /** Calls of one tool, one after the other, as one row. */
  calls(name: string, count: number, locale: string): string;
  /** What an agent has done itself, and together with those that it invoked: "2 tools, 5 with its agents". */
  agentCounts(own: Counts, total: Counts, locale: string): string;
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
  /** A moment of the past, after so many events. */
  replaying(events: number, locale: string): string;
  /** The log was exchanged or lost its end, so many times since the page was opened: what was void is gone. */
  readAgain(times: number, locale: string): string;
  /** It gave up: `message` says why. */
  lost(message: string | undefined, locale: string): string;
  /** A run that waits for its turn, behind so many others. */
  queued(position: number | undefined, locale: string): string;
  paused(why: 'budget' | undefined, by: string | undefined, locale: string): string;
  completed(ms: number | undefined, events: number, cost: string | undefined, locale: string): string;
  failed(message: string | undefined, locale: string): string;
  cancelled(by: string | undefined, locale: string): string;
  retry(locale: string): string;
  budget(limit: BudgetLimit, locale: string): string;
  /** `used` and `max` are written out already. */
  budgetUsed(limit: BudgetLimit, used: string | undefined, max: string, locale: string): string;
  /** That it runs low, or is used up and what happens then. */
  budgetStanding(
    status: Exclude<BudgetUse['status'], 'ok'>,
    decision: EventData<'budget.exceeded'>['decision'],
    locale: string,
  ): string;
  /** The buttons that ask for commands, and what they are together. */
  commands(locale: string): string;
  command(command: Command['command'], locale: string): string;
  /** What has come of a command; `message` says why it was refused. */
  commandLine(
    command: Command['command'],
    status: Command['status'],
    by: string | undefined,
    message: string | undefined,
    locale: string,
  ): string;
  confirmCancel(locale: string): string;
  /** The field for why a run is cancelled. */
  confirmReason(locale: string): string;
  confirmYes(locale: string): string;
  confirmNo(locale: string): string;
  /** A time of day, of an RFC 3339 time. */
  time(time: string, locale: string): string;
  timeline(locale: string): string;
  toEnd(rows: number, locale: string): string;
  approval(prompt: string, locale: string): string;
  /** What may be answered to a question: the name of its button. */
  approvalOption(option: string, locale: string): string;
  approvalComment(locale: string): string;
  approvalLeft(ms: number, locale: string): string;
  approvalSending(locale: string): string;
  approvalResolved(option: string, by: string | undefined, locale: string): string;
  approvalExpired(locale: string): string;
  /** An answer that does not count. */
  approvalFailed(message: string, locale: string): string;
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
const tokensOf = ({ usage }: Counts): number =>
  usage?.totalTokens ?? (usage?.inputTokens ?? 0) + (usage?.outputTokens ?? 0);
/** The facts that there are, in one line. */
export const line = (...parts: readonly (string | undefined | false)[]): string => parts.filter(Boolean).join(' · ');
const LIMITS = { cost: 'Cost', tokens: 'Tokens', toolCalls: 'Tool calls' };
const COMMANDS = { cancel: 'Cancel', pause: 'Pause', resume: 'Resume' };
const FOLLOWED = { cancel: 'cancelled', pause: 'paused', resume: 'resumed' };
const DECISIONS = { stop: 'the run is stopped', pause: 'the run is paused', ask: 'waiting for a decision' };
const byWhom = (by: string | undefined): string => (by === undefined ? '' : ` by ${by}`);
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
  calls: (name, count, locale) => `${name} ×${format(count, locale)}`,
  agentCounts(own, total, locale) {
    const said = (mine: number, all: number, one: string) =>
      all > 0 &&
      (mine === all
        ? plural(all, one, locale)
        : `${plural(mine, one, locale)}, ${format(all, locale)} with its agents`);
    return line(
      said(own.tools, total.tools, 'tool'),
      said(own.errors, total.errors, 'error'),
      said(tokensOf(own), tokensOf(total), 'token'),
    );
  },
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
  replaying: (events, locale) => line('Replay', plural(events, 'event', locale)),
  readAgain: (times, locale) => `read again from its beginning, ${plural(times, 'time', locale)}`,
  lost: (message) => `Not connected${message ? `: ${message}` : '.'}`,
  queued: (position, locale) =>
    line('Waiting for its turn', position === undefined ? undefined : `${plural(position, 'run', locale)} before it`),
  paused: (why, by) => `Paused${byWhom(why ?? by)}. Waiting for a decision.`,
  completed: (ms, events, cost, locale) =>
    line(
      `Finished${ms === undefined ? '' : ` in ${english.duration(ms, locale)}`}`,
      plural(events, 'event', locale),
      cost,
    ),
  failed: (message) => `Failed${message ? `: ${message}` : '.'}`,
  cancelled: (by) => `Cancelled${byWhom(by)}.`,
  retry: () => 'Retry now',
  budget: (limit) => `Budget: ${LIMITS[limit]}`,
  budgetUsed: (limit, used, max) =>
    `${LIMITS[limit]}: ${used === undefined ? `not known, at most ${max}` : `${used} of ${max}`}`,
  budgetStanding: (status, decision) =>
    status === 'warning' ? 'runs low' : `used up${decision ? `, ${DECISIONS[decision]}` : ''}`,
  commands: () => 'Control of the run',
  command: (command) => COMMANDS[command],
  commandLine(command, status, by, message) {
    const [name, followed] = [COMMANDS[command], FOLLOWED[command]];
    switch (status) {
      case 'requested':
        return `${name} asked for${byWhom(by)}…`;
      case 'overdue':
        return `${name} asked for${byWhom(by)}. Nothing has followed it yet.`;
      case 'applied':
        return `${followed.charAt(0).toUpperCase()}${followed.slice(1)}${byWhom(by)}.`;
      case 'refused':
        return `Not ${followed}${message ? `: ${message}` : '.'}`;
      case 'void':
        return `Not ${followed}: the run ended first.`;
    }
  },
  confirmCancel: () => 'Cancel this run?',
  confirmReason: () => 'Reason, if you like',
  confirmYes: () => 'Cancel the run',
  confirmNo: () => 'Keep it running',
  time: (time, locale) => new Intl.DateTimeFormat(locale, { timeStyle: 'medium' }).format(new Date(time)),
  timeline: () => 'Timeline',
  toEnd: (rows, locale) => (rows > 0 ? `${format(rows, locale)} new ↓` : 'To the end ↓'),
  approval: (prompt) => `Approval needed: ${prompt}`,
  approvalOption: (option) => (option === 'approve' ? 'Approve' : option === 'deny' ? 'Deny' : option),
  approvalComment: () => 'Comment',
  approvalLeft: (ms, locale) => (ms > 0 ? `${english.duration(ms, locale)} left to answer` : 'No time left to answer'),
  approvalSending: () => 'Sending the answer…',
  approvalResolved: (option, by) => `Answered${byWhom(by)}: ${option}`,
  approvalExpired: () => 'It was not answered in time.',
  approvalFailed: (message) => `This answer does not count: ${message}`,
  announceLive: () => 'Live',
  announceAnswer: () => 'Answering',
  announceStep: (step, total, name, locale) => `Step ${format(step, locale)} of ${format(total, locale)}: ${name}`,
};
