import type { Approval, RunSnapshot } from 'telltale/protocol';
import { english, visible } from 'telltale/react/parts';
import { count, money } from '../ui/format.ts';

const LOCALE = 'en';

/** How a run stands, in a sentence, where it does not just go on; the same words as everywhere. */
export function standingLine(run: RunSnapshot): string | undefined {
  const followed = run.commands.findLast((it) => it.status === 'applied');
  const by = followed?.by === undefined ? undefined : visible(followed.by);
  switch (run.status) {
    case 'queued':
      return english.queued(run.position, LOCALE);
    case 'paused': {
      const isBudget = run.budget?.exceeded?.decision === 'pause';
      return english.paused(isBudget ? 'budget' : undefined, followed?.command === 'pause' ? by : undefined, LOCALE);
    }
    case 'completed': {
      const cost = run.cost && money(run.cost.amount, run.cost.currency);
      return english.completed(run.durationMs, run.events, cost, LOCALE);
    }
    case 'failed':
      return english.failed(run.error && visible(run.error.message), LOCALE);
    case 'cancelled':
      return english.cancelled(followed?.command === 'cancel' ? by : undefined, LOCALE);
    default:
      return undefined;
  }
}

/** What has come of the last thing that was asked of a run, as long as the run does not say it by itself. */
export function commandLine({ commands }: RunSnapshot): string | undefined {
  const last = commands.at(-1);
  if (!last || last.status === 'applied') return undefined;
  const by = last.by === undefined ? undefined : visible(last.by);
  return english.commandLine(last.command, last.status, by, last.error && visible(last.error.message), LOCALE);
}

/** How a question was settled. */
export function decisionLine({ status, decision = '', by }: Approval): string {
  if (status !== 'resolved') return english.approvalExpired(LOCALE);
  const option = english.approvalOption(visible(decision), LOCALE);
  return english.approvalResolved(option, by === undefined ? undefined : visible(by), LOCALE);
}

/** The chip: how long it thought, with how many tools, and how many of those failed. */
export function thinkingLine(
  how: 'running' | 'completed' | 'interrupted',
  ms: number | undefined,
  tools: number,
  failed: number,
): string {
  const line = english.thinking(how, ms, tools, LOCALE);
  return failed === 0 ? line : `${line} · ${count(failed)} failed`;
}
