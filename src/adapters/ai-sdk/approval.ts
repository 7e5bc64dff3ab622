import type { ApprovalAnswer } from '../../protocol/index.ts';
import { currentRun } from '../current.ts';
import { whoseTool } from './open-calls.ts';

type Status = undefined | StatusName | { readonly type: StatusName; readonly reason?: string };
type StatusName = 'not-applicable' | 'approved' | 'denied' | 'user-approval';
type Decided = { type: 'not-applicable' | 'approved' } | { type: 'denied' | 'user-approval'; reason?: string };

/** What AI SDK tells of a tool call that may need leave. */
interface Asked {
  readonly toolCall: { readonly toolCallId: string; readonly toolName: string; readonly input?: unknown };
  readonly tools: unknown;
  readonly toolsContext: unknown;
  readonly runtimeContext: unknown;
  readonly messages: readonly unknown[];
}

/** AI SDK's own `toolApproval`: for each tool, or one function for all. */
export type AiSdkApprovalPolicy =
  // biome-ignore lint/suspicious/noExplicitAny: AI SDK types these by the tools of a call.
  ((asked: any) => Status | PromiseLike<Status>) | { readonly [tool: string]: unknown };

export interface AiSdkApprovalOptions {
  /** Milliseconds after which nobody has answered, which is a no. Without it, as long as the run lasts. */
  readonly expiresIn?: number;
}

/** What `aiSdkApproval` makes: AI SDK's `GenericToolApprovalFunction`. */
export type AiSdkApproval = (asked: Asked) => Promise<Decided>;

/**
 * AI SDK's `toolApproval` that asks the people who watch the run, and waits: the call then goes on with their answer, as
 * if the program had decided. Who has to be asked about is said as for AI SDK, by `policy` or by the tools' own
 * `needsApproval`. Outside of runs it is AI SDK's approval as ever: the call ends with the question.
 *
 * @example
 * new ToolLoopAgent({ model, tools, toolApproval: aiSdkApproval({ deleteFile: 'user-approval' }) });
 */
export function aiSdkApproval(
  policy: AiSdkApprovalPolicy = {},
  { expiresIn }: AiSdkApprovalOptions = {},
): AiSdkApproval {
  return async (asked) => {
    const status = await statusOf(policy, asked);
    const decided = (typeof status === 'object' ? status : { type: status ?? 'not-applicable' }) as Decided;
    const run = currentRun();
    if (decided.type !== 'user-approval' || !run) return decided;
    const { toolCallId, toolName } = asked.toolCall;
    const invocation = whoseTool(run, toolCallId);
    const why = decided.reason === undefined ? '' : ` ${decided.reason}`;
    const answer = await (invocation?.reporter.writer ?? run).approve({
      prompt: `May ${toolName} be called?${why}`,
      toolCallId: invocation?.tools.idOf(toolCallId) ?? toolCallId,
      ...(expiresIn !== undefined && { expiresIn }),
    });
    return answer.approved ? { type: 'approved' } : { type: 'denied', reason: reasonOf(answer) };
  };
}

/** As AI SDK finds it: what is said for the call decides, else what the tool says of itself. */
async function statusOf(policy: AiSdkApprovalPolicy, asked: Asked): Promise<Status> {
  if (typeof policy === 'function') return policy(asked);
  const { toolCall, tools, toolsContext, runtimeContext, messages } = asked;
  const { toolCallId, toolName, input } = toolCall;
  const context = own(toolsContext, toolName);
  const said = own(policy, toolName);
  if (typeof said === 'function') return said(input, { toolCallId, messages, toolContext: context, runtimeContext });
  if (said !== undefined && said !== null) return said as Status;
  const { needsApproval } = Object(own(tools, toolName)) as { needsApproval?: unknown };
  const needed =
    typeof needsApproval === 'function' ? await needsApproval(input, { toolCallId, messages, context }) : needsApproval;
  return needed ? 'user-approval' : 'not-applicable';
}

/** A model chooses the name: `constructor` is no tool. */
const own = (object: unknown, name: string): unknown =>
  Object.hasOwn(Object(object), name) ? (object as Record<string, unknown>)[name] : undefined;

/** What the model is told of a no. */
function reasonOf({ decision, comment }: ApprovalAnswer): string {
  return comment ?? (decision === undefined ? 'Nobody answered in time.' : `Somebody decided: ${decision}.`);
}
