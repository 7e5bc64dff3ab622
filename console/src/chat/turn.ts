import type { AgentSpan, RunSnapshot, ToolSpan } from 'telltale/protocol';

/** A line of what an agent is at, below the question that it works on. */
export interface WorkLine {
  readonly key: string;
  /** How deep in agents. */
  readonly depth: number;
  readonly kind: 'agent' | 'tool';
  readonly name: string;
  /** What the tool is called with, in short. */
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
  readonly phase: 'queued' | 'thinking' | 'answering' | 'paused' | 'completed' | 'failed' | 'cancelled';
  /** Markdown. */
  readonly answer: string;
  /** From the beginning of the run to that of the answer, by the log; absent while it lasts. */
  readonly thinkingMs?: number;
  readonly startedAt?: string;
  readonly tools: number;
  readonly failedTools: number;
  /** The newest, in the order in which they began; `earlier` is how many there are before them. */
  readonly lines: readonly WorkLine[];
  readonly earlier: number;
}

/** The indicator tells what is done now. All that was done is in the flyout. */
const LINES = 8;
const ARGS = 48;

const ENDED = ['completed', 'failed', 'cancelled'] as const;

/** What a conversation shows of a run. */
export function turnOf(run: RunSnapshot): Turn {
  const { runId, status, startedAt } = run;
  const inner = new Set(run.agents.filter((it) => it.parentId !== undefined).map((it) => it.id));
  const said = run.messages.filter((it) => it.role === 'assistant' && !inner.has(it.agentId ?? '') && it.text !== '');
  const last = said.at(-1);
  // What is said before the last tool or thought is on the way to the answer.
  const worked = Math.max(run.tools.at(-1)?.startSeq ?? 0, run.reasoning.at(-1)?.startSeq ?? 0);
  const answering = last && last.startSeq > worked ? last : undefined;
  const ended = ENDED.find((it) => it === status);
  const thoughtUntil = answering?.startedAt ?? (ended && run.endedAt);
  const thinkingMs = startedAt && thoughtUntil ? msBetween(startedAt, thoughtUntil) : undefined;
  const lines = linesOf(run);
  const output = said.length === 0 && status === 'completed' ? textOf(run.output) : '';
  return {
    runId,
    question: textOf(run.input),
    agent: run.agent ?? '',
    phase:
      ended ??
      (status === 'running' ? (answering ? 'answering' : 'thinking') : status === 'paused' ? 'paused' : 'queued'),
    answer: said.map((it) => it.text).join('\n\n') || output,
    ...(thinkingMs !== undefined && { thinkingMs }),
    ...(startedAt !== undefined && { startedAt }),
    tools: run.tools.length,
    failedTools: run.tools.filter((it) => it.status === 'failed').length,
    lines,
    earlier: run.agents.length + run.tools.length - lines.length,
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
  const args = briefOf(it.args);
  return {
    ...{ kind: 'tool', key: `tool ${it.agentId} ${it.id}`, name: it.name || it.id },
    depth: path === undefined ? 0 : depthOf(path),
    ...(args !== undefined && { args }),
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

/** The first text among a tool's arguments: a path, a question, words to look for. */
function briefOf(args: unknown): string | undefined {
  const text = Object.values(Object(args)).find((it) => typeof it === 'string' && it !== '');
  return typeof text === 'string' && text.length > ARGS ? `${text.slice(0, ARGS)}…` : (text as string | undefined);
}

/** What was asked, or answered, as people read it. */
function textOf(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : `\`\`\`json\n${JSON.stringify(value, null, 2)}\n\`\`\``;
}
