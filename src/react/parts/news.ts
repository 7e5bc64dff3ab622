import type { RunResult } from '../use-run.ts';
import { answerOf, commandLine, restingLine, standingOf } from './standing.ts';
import { visible } from './visible.ts';
import type { Words } from './words.ts';

/** What there is to say of a run. */
export interface News {
  /** What stands so; the same as long as there is nothing new to say. */
  readonly key: string;
  readonly text: string;
  /** A failure, or a question that somebody has to answer. */
  readonly isUrgent: boolean;
}

/** What matters most of all that is so. */
export function newsOf(run: RunResult, words: Words): News | undefined {
  const { data } = run;
  const standing = standingOf(run);
  const news = (key: string, text: string, isUrgent = false): News => ({ key, text, isUrgent });
  const resting = restingLine(standing, run, words);
  if (resting !== undefined) return news(standing, resting, standing === 'failed' || standing === 'lost');
  if (standing === 'reconnecting') return news(standing, words.reconnecting(undefined, undefined));
  if (standing === 'offline') return news(standing, words.offline());
  if (standing === 'catching-up') return news(standing, words.catchingUp(run.lastSeq, run.latest));
  if (standing !== 'live' || !data) return undefined;
  const asked = data.approvals.findLast(({ status }) => status === 'requested');
  if (asked) return news(`approval ${asked.id}`, words.approval(visible(asked.prompt)), true);
  const running = ({ status }: { readonly status: string }): boolean => status === 'running';
  const answer = data.messages.findLast(running);
  const steps = data.plan?.stepIds ?? [];
  const step = data.steps.findLast((it) => running(it) && steps.includes(it.id));
  const thinking = data.reasoning.findLast(running);
  // What people did is told until the run goes on to something else.
  const since = Math.max(0, ...[answer, step, thinking].map((it) => it?.startSeq ?? 0));
  const command = data.commands.at(-1);
  if (command && (command.endSeq ?? command.seq) > since) {
    return news(`command ${command.id} ${command.status}`, commandLine(command, words));
  }
  const settled = data.approvals.findLast(({ status }) => status === 'resolved');
  if (settled?.endSeq !== undefined && settled.endSeq > since) {
    return news(`answer to ${settled.id}`, answerOf(settled, words));
  }
  if (answer) return news('answer', words.announceAnswer());
  if (step) {
    const text = words.announceStep(steps.indexOf(step.id) + 1, steps.length, visible(step.name));
    return news(`step ${step.id}`, text);
  }
  if (thinking) return news('thinking', words.thinking('running', undefined, 0));
  if (run.resets > 0) return news(`again ${run.resets}`, words.readAgain(run.resets));
  return news('live', words.announceLive());
}
