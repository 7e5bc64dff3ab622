import { useCallback, useMemo } from 'react';
import type { AboutAnswer, AnswerOutcome } from '../client/index.ts';
import type { Approval, TelltaleError } from '../protocol/index.ts';
import { logTime } from './log-time.ts';
import { useRunStore } from './run-source.ts';
import { useRequest } from './use-request.ts';
import { type RunHookOptions, type RunResult, useRunView } from './use-run.ts';

/** A question of a run, and the way to answer it. The first answer from anywhere counts; the log says which that was. */
export interface ApprovalResult {
  /** `pending`: nothing is known of it yet. */
  readonly status: Approval['status'] | 'pending';
  /** The question, and who answered what: `prompt`, `decision`, `by`, `comment`, `endSeq`, `endedAt`. */
  readonly approval: Approval | undefined;
  /** What may be answered. The first is what "yes" means. Nothing in a replay. */
  readonly options: readonly string[];
  /** Answers with the first option. */
  approve(about?: AboutAnswer): Promise<AnswerOutcome | undefined>;
  /** Answers with `deny`, or with the second option where the question names others. */
  deny(about?: AboutAnswer): Promise<AnswerOutcome | undefined>;
  /** Resolves with the answer where it counts, else with `undefined`: `error` says why. */
  answer(decision: string, about?: AboutAnswer): Promise<AnswerOutcome | undefined>;
  /** Answered here, and the log does not say so yet. */
  readonly isPending: boolean;
  /** Why the answer does not count: `already_decided`, with `decision` and `by`; `approval_expired`; `unreachable`, … */
  readonly error: TelltaleError | undefined;
  /**
   * The milliseconds that are left to answer, as of now: to be asked again as time goes by. By the log's time or this
   * machine's, whichever is later. `undefined` where there is no deadline, or nothing to answer.
   */
  msLeft(): number | undefined;
}

/** What is not said is `undefined`, and is not sent. */
interface Answer {
  readonly decision: string;
  readonly by: string | undefined;
  readonly comment: string | undefined;
}

const DEFAULT: readonly string[] = ['approve', 'deny'];

/**
 * A question that waits for people, live: answered in any tab, it is answered in all. Renders when that changes.
 *
 * @example
 * const { approval, status, approve, deny, isPending } = useApproval(runId, approvalId);
 * if (status === 'resolved') return `${approval?.decision}, says ${approval?.by}`;
 */
export function useApproval(
  runId: string | undefined,
  approvalId: string,
  options: RunHookOptions = {},
): ApprovalResult {
  const opened = useRunStore(runId, options);
  const { run, store } = opened;
  const find = useCallback(({ data }: RunResult) => data?.approvals.find(({ id }) => id === approvalId), [approvalId]);
  const approval = useRunView(opened, find, options);
  const send = useCallback(
    async ({ decision, ...about }: Answer, key: string) => run?.answer(approvalId, decision, about as AboutAnswer, key),
    [run, approvalId],
  );
  const [{ isPending, data, error }, request] = useRequest(send);
  const choices = approval?.options?.length ? approval.options : DEFAULT;
  const status = approval?.status ?? 'pending';
  const expiresAt = run && status === 'requested' ? approval?.expiresAt : undefined;
  const act = useMemo(() => {
    // By name: where nobody checks types, `onClick={approve}` gives it an event.
    const answer: ApprovalResult['answer'] = (decision, { by, comment } = {}) => request({ decision, by, comment });
    const [yes, no] = choices as readonly [string, string?];
    return {
      answer,
      approve: (about?: AboutAnswer) => answer(yes, about),
      deny: (about?: AboutAnswer) => answer(no === undefined || choices.includes('deny') ? 'deny' : no, about),
    };
  }, [request, choices]);
  const msLeft = useCallback(
    () =>
      expiresAt === undefined
        ? undefined
        : Math.max(0, Date.parse(expiresAt) - Math.max(Date.now(), logTime(store) ?? 0)),
    [store, expiresAt],
  );
  return {
    status,
    approval,
    options: run ? choices : [],
    ...act,
    // Acknowledged, and not yet here: the log is a moment behind its answer.
    isPending: isPending || (data !== undefined && status === 'requested'),
    error,
    msLeft,
  };
}
