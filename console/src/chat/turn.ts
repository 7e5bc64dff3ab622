import type { AgentSpan, MessageSpan, RunSnapshot, ToolSpan } from 'telltale/protocol';
import { argsLine } from '../run/call.ts';
import { questionOf } from '../run/heading.ts';

/** A line of what an agent is at, below the question that it works on. */
export interface WorkLine {
  readonly key: string;
  /** How deep in agents. */
  readonly depth: number;
  readonly kind: 'agent' | 'tool';
  readonly name: string;
  /** What the tool is called with, in a line. */
  readonly args?: string;
  readonly status: ToolSpan['status'];
  /** The log's time of its beginning. */
  readonly startedAt: string;
  readonly durationMs?: number;
  readonly problem?: string;
}

/** A question and all that came of it: a run, as a conversation shows it. */
export interface Turn {
  readonly runId: string;
  readonly question: string;
  readonly agent: string;
  readonly phase: Exclude<RunSnapshot['status'], 'running'> | 'thinking' | 'answering';
  /** Markdown. */
  readonly answer: string;
  /** From the beginning of the run to that of the answer, by the log; absent while it lasts. */
  readonly thinkingMs?: number;
  readonly startedAt?: string;
  /** Nothing goes on before somebody answers. */
  readonly isAsking: boolean;
  readonly tools: number;
  readonly failedTools: number;
  /** The newest, in the order in which they began; `earlier` is how many there are before them. */
  readonly lines: readonly WorkLine[];
  readonly earlier: number;
}

/** The indicator tells what is done now. All that was done is in the flyout. */
const LINES = 8;

/** How far the answer to a question is. */
export function phaseOf(run: RunSnapshot): Turn['phase'] {
  if (run.status !== 'running') return run.status;
  return answering(run, saidBy(run)) ? 'answering' : 'thinking';
}

/** What the run itself says; what specialists say to the agent that asked them is not the answer. */
function saidBy({ agents, messages }: RunSnapshot): MessageSpan[] {
  const inner = new Set(agents.filter((it) => it.parentId !== undefined).map((it) => it.id));
  return messages.filter((it) => it.role === 'assistant' && it.text !== '' && !inner.has(it.agentId ?? ''));
}

/** What is said before the last tool or thought is on the way to the answer. */
function answering({ tools, reasoning }: RunSnapshot, said: readonly MessageSpan[]): MessageSpan | undefined {
  const last = said.at(-1);
  const worked = Math.max(tools.at(-1)?.startSeq ?? 0, reasoning.at(-1)?.startSeq ?? 0);
  return last && last.startSeq > worked ? last : undefined;
}

/** What a conversation shows of a run. */
export function turnOf(run: RunSnapshot): Turn {
  const { runId, status, startedAt, tools } = run;
  const said = saidBy(run);
  const thoughtUntil = answering(run, said)?.startedAt ?? run.endedAt;
  const thinkingMs = startedAt && thoughtUntil ? msBetween(startedAt, thoughtUntil) : undefined;
  const lines = linesOf(run);
  return {
    ...{ runId, question: questionText(run.input), agent: run.agent ?? '', phase: phaseOf(run) },
    answer: said.map((it) => it.text).join('\n\n') || (status === 'completed' ? answerText(run.output) : ''),
    ...(thinkingMs !== undefined && { thinkingMs }),
    ...(startedAt !== undefined && { startedAt }),
    isAsking: run.approvals.some((it) => it.status === 'requested'),
    tools: tools.length,
    failedTools: tools.filter((it) => it.status === 'failed').length,
    lines,
    earlier: run.agents.length + tools.length - lines.length,
  };
}

/** The newest of its agents and their tools. */
function linesOf({ agents, tools }: RunSnapshot): WorkLine[] {
  const pathOf = (agentId: string | undefined) => agents.find((it) => it.id === agentId)?.path;
  return [
    ...agents.slice(-LINES).map((it) => ({ line: agentLine(it), seq: it.startSeq })),
    ...tools.slice(-LINES).map((it) => ({ line: toolLine(it, pathOf(it.agentId)), seq: it.startSeq })),
  ]
    .sort((one, other) => one.seq - other.seq)
    .slice(-LINES)
    .map(({ line }) => line);
}

const depthOf = (path: string): number => path.split('/').length;

const agentLine = (it: AgentSpan): WorkLine => ({
  ...{ kind: 'agent', key: `agent ${it.id}`, name: it.name, depth: depthOf(it.path) - 1 },
  ...standingOf(it),
});

function toolLine(it: ToolSpan, path: string | undefined): WorkLine {
  const args = argsLine(it);
  return {
    ...{ kind: 'tool', key: `tool ${it.agentId} ${it.id}`, name: it.name || it.id },
    depth: path === undefined ? 0 : depthOf(path),
    ...(args !== '' && { args }),
    ...standingOf(it),
  };
}

function standingOf({ status, startedAt, endedAt, durationMs, error }: AgentSpan | ToolSpan) {
  const took = durationMs ?? (endedAt === undefined ? undefined : msBetween(startedAt, endedAt));
  return {
    ...{ status, startedAt },
    ...(took !== undefined && { durationMs: took }),
    ...(error && { problem: error.message }),
  };
}

const msBetween = (from: string, to: string): number => Math.max(0, Date.parse(to) - Date.parse(from));

/** What was asked, as people read it. */
export function questionText(input: unknown): string {
  const question = questionOf(input);
  if (question !== undefined || input === undefined) return question ?? '';
  const { truncated, preview } = Object(input) as { readonly truncated?: unknown; readonly preview?: unknown };
  // In place of what was too long for the log (PROTOCOL.md section 9).
  if (truncated === true && typeof preview === 'string') return `${preview}… (the log holds no more of it)`;
  return JSON.stringify(input);
}

/** What a run came to that said nothing. */
const answerText = (output: unknown): string =>
  output === undefined || typeof output === 'string'
    ? (output ?? '')
    : `\`\`\`json\n${JSON.stringify(output, null, 2)}\n\`\`\``;
