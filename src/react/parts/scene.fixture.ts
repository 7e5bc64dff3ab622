/** A run as parts show it, written into a log with times of its own. */
import type { Page } from 'playwright-core';
import { type Draft, START } from '../../hub/drafts.fixture.ts';
import type { Ack, Log } from '../../log/index.ts';
import { encodeEvent, isTerminal } from '../../protocol/index.ts';
import type { OpenPage, Stage } from '../browser.fixture.ts';
import type { page as Driven, PartName } from './page.fixture.tsx';

/** Appends to run `r` at a time of the log, in seconds since its beginning. */
export function write(log: Log, second: number, ...drafts: readonly Draft[]): Promise<Ack> {
  const time = new Date(Date.UTC(2026, 10, 20, 18) + second * 1_000).toISOString();
  const batch = drafts.map(([type, data = {}, agent]) =>
    encodeEvent({ type, data, ...(agent && { agent }) }, { threadId: 'r', runId: 'r', time }),
  );
  return log.append('r', batch, {
    runId: 'r',
    ...(drafts[0]?.[0] === 'run.started' && { opens: { agent: 'a', createdAt: time } }),
    ...(isTerminal(drafts.at(-1)?.[0] ?? '') && { closes: true }),
  });
}

export const thought = (id: string, text: string): Draft => ['reasoning.delta', { reasoningId: id, delta: text }];
export const thoughtEnds = (id: string): Draft => ['reasoning.completed', { reasoningId: id }];
export const said = (text: string): Draft => ['message.delta', { messageId: 'm', delta: text }];

/** Hostile to whoever obeys it: turns the reading, moves a cursor, hides, is HTML. */
export const HOSTILE = 'search\u202egnp.exe\u001b[2J<img src=x onerror="window.hacked=1">';

/** A run with everything in it, not ended. */
export async function everything(log: Log): Promise<void> {
  const agent = { id: 'a1', name: 'specialist', path: 'a1' };
  await write(
    log,
    0,
    START,
    ['budget.set', { maxCost: 1, maxTokens: 5_000, maxToolCalls: 2, currency: 'USD' }],
    [
      'plan.created',
      {
        goal: 'Find the risks',
        steps: ['Read', 'Search', 'Judge', 'Answer'].map((name, i) => ({ id: `s${i}`, name })),
      },
    ],
    ['step.started', { stepId: 's0', name: 'Read' }],
    thought('t', 'First I read the ticket.\nThen I search the orders.'),
  );
  await write(
    log,
    8,
    thoughtEnds('t'),
    ['step.completed', { stepId: 's0' }],
    ['step.started', { stepId: 's1', name: 'Search' }],
    ['agent.started', {}, agent],
    ['tool.called', { toolCallId: '1', name: HOSTILE, args: { q: '8f2c', limit: 20 } }, agent],
    ['activity.reported', { action: 'looked into the archive', status: 'completed' }, agent],
  );
  await write(
    log,
    12,
    ['tool.completed', { toolCallId: '1', result: { hits: 14 } }, agent],
    ['tool.called', { toolCallId: '2', name: 'list_changes', args: {} }, agent],
    ['tool.failed', { toolCallId: '2', error: { code: 'timeout', message: 'timed out after 10 s' } }, agent],
    ['agent.completed', {}, agent],
    ['usage.updated', { usage: { inputTokens: 4_000, outputTokens: 500 } }],
    ['budget.warning', { limit: 'tokens', used: 4_500, max: 5_000 }],
    ['step.completed', { stepId: 's1' }],
    ['step.started', { stepId: 's2', name: 'Judge' }],
    said('The second refund came from a retry.'),
  );
}

/** A run that people have to do with: questions open, answered and expired, a command that waits, a budget used up. */
export async function people(log: Log): Promise<void> {
  const ask = (approvalId: string, prompt: string, more = {}): Draft => [
    'approval.requested',
    { approvalId, prompt, ...more },
  ];
  await write(
    log,
    0,
    START,
    ['budget.set', { maxCost: 1, maxTokens: 5_000, maxToolCalls: 20, currency: 'USD', onExceeded: 'ask' }],
    ['tool.called', { toolCallId: '1', name: 'refund', args: { amount: 240 } }],
    ask('a1', 'May I read the order?'),
    ask('a2', 'Send the letter?'),
  );
  await write(
    log,
    9,
    ['approval.resolved', { approvalId: 'a1', decision: 'approve', by: 'dana', comment: 'Only this one.' }],
    ['approval.expired', { approvalId: 'a2' }],
    ['usage.updated', { usage: { totalTokens: 4_500 }, cost: { amount: 1.2, currency: 'USD', source: 'provider' } }],
    ['budget.warning', { limit: 'tokens', used: 4_500, max: 5_000 }],
    ['budget.exceeded', { limit: 'cost', used: 1.2, max: 1, decision: 'ask' }],
    ['control.requested', { command: 'pause', commandId: 'c1', by: 'kim', reason: 'The customer calls.' }],
    ['control.overdue', { commandId: 'c1' }],
    ask('a3', 'Approve the refund of €240\nto account 7731?', { toolCallId: '1', expiresAt: FAR }),
    ask('a4', `Which one, ${HOSTILE}?`, { options: ['the first', 'the second', 'neither'] }),
  );
}

/** A deadline that no clock of a test has passed. */
const FAR = '2099-11-20T18:00:00.000Z';

/** The page of the parts. */
export const parts = (page: Page, name: PartName, locale?: 'de'): Promise<void> =>
  page.evaluate(([name, locale]) => (window.page as unknown as typeof Driven).mount(name, 'r', locale), [
    name,
    locale,
  ] as const);

export async function open(stage: Stage, url: string, name: PartName): Promise<OpenPage> {
  const opened = await stage.visit(url);
  await parts(opened.page, name);
  return opened;
}

/** Messages of live regions so far. */
export const heard = (page: Page): Promise<{ at: number; text: string }[]> =>
  page.evaluate(() => (window.page as unknown as typeof Driven).said);

export const listen = (page: Page): Promise<void> =>
  page.evaluate(() => (window.page as unknown as typeof Driven).listen());
