import type { KnownEvent } from './event.ts';
import { at, byId, endOf, pick, push, upsert } from './reduce-spans.ts';
import type { Approval, Command, RunSnapshot } from './snapshot.ts';

/** The part of the fold about people: approvals, commands, input and money. */
export function reduceControl(s: RunSnapshot, e: KnownEvent): RunSnapshot {
  switch (e.type) {
    case 'approval.requested': {
      const { approvalId: id, prompt, ...more } = e.data;
      return {
        ...s,
        approvals: upsert(
          s.approvals,
          byId(id),
          // Asked again it is not open again: the first answer wins.
          (it) => it ?? { ...more, id, prompt, status: 'requested', ...at(e), askedAt: e.time },
        ),
      };
    }
    case 'approval.resolved':
      return { ...s, approvals: settle(s.approvals, e, { ...e.data, status: 'resolved' }) };
    case 'approval.expired':
      return { ...s, approvals: settle(s.approvals, e, { status: 'expired' }) };
    case 'input.received':
      return { ...s, inputs: push(s.inputs, { ...e.data, seq: e.seq, receivedAt: e.time }) };
    case 'control.requested': {
      const { commandId: id, command } = e.data;
      const asked = { status: 'requested', seq: e.seq, askedAt: e.time } as const;
      const entry: Command = { id, command, ...asked, ...pick(e.data, ['by', 'reason']) };
      return { ...s, commands: upsert(s.commands, byId(id), (it) => it ?? entry) };
    }
    case 'control.refused':
      return { ...s, commands: refuse(s.commands, e) };
    case 'control.overdue':
      return {
        ...s,
        commands: s.commands.map((it) =>
          it.id === e.data.commandId && it.status === 'requested' ? { ...it, status: 'overdue' } : it,
        ),
      };
    case 'run.paused':
    case 'run.resumed':
      return { ...s, commands: apply(s.commands, e) };
    case 'usage.updated':
      return { ...s, ...pick(e.data, ['usage', 'cost']) };
    case 'budget.set':
      return { ...s, budget: { ...e.data, warnings: [] } };
    case 'budget.warning':
      return { ...s, budget: { ...s.budget, warnings: [...(s.budget?.warnings ?? []), e.data] } };
    case 'budget.exceeded':
      return { ...s, budget: { warnings: [], ...s.budget, exceeded: e.data } };
    default:
      return s;
  }
}

const APPLIED_BY = { 'run.cancelled': 'cancel', 'run.paused': 'pause', 'run.resumed': 'resume' } as const;

/** The command an event answers: the one it names, else every open one of its kind. */
export function apply(
  commands: readonly Command[],
  e: KnownEvent & { type: keyof typeof APPLIED_BY },
): readonly Command[] {
  const { commandId } = e.data;
  return commands.map((it) =>
    isOpen(it) && it.command === APPLIED_BY[e.type] && (commandId === undefined || it.id === commandId)
      ? { ...it, status: 'applied', ...endOf(e) }
      : it,
  );
}

/** Neither applied nor refused. */
export const isOpen = ({ status }: Command): boolean => status === 'requested' || status === 'overdue';

const refuse = (commands: readonly Command[], e: KnownEvent & { type: 'control.refused' }) =>
  commands.map(
    (it): Command =>
      it.id === e.data.commandId && isOpen(it) ? { ...it, status: 'refused', error: e.data.error, ...endOf(e) } : it,
  );

/** First answer wins. */
function settle(
  approvals: readonly Approval[],
  e: KnownEvent & { type: 'approval.resolved' | 'approval.expired' },
  end: Partial<Approval> & { status: Approval['status'] },
): readonly Approval[] {
  const change = { ...pick(end, ['status', 'decision', 'by', 'comment']), ...endOf(e) };
  return approvals.map((it) => (it.id === e.data.approvalId && it.status === 'requested' ? { ...it, ...change } : it));
}
