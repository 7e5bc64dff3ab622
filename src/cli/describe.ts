import type { KnownEvent, RunSnapshot, TelltaleEvent, ToolSpan } from '../protocol/index.ts';
import { count, failure, isNoModel, preview, tokens, took } from './phrases.ts';
import type { Span } from './screen.ts';

/** The run that an event belongs to, before it and after it. */
export interface Scene {
  readonly before: RunSnapshot;
  readonly after: RunSnapshot;
}

/** The lines that an event adds to a timeline, without its end (see summary.ts) and its texts (see speech.ts). */
export function describe(event: KnownEvent, { before, after }: Scene): readonly (readonly Span[])[] {
  const { type, data } = event;
  const who = whose(event);
  switch (type) {
    case 'run.queued':
    case 'run.started': {
      if (type === 'run.queued' && before.queuedAt !== undefined) return waiting(data.position);
      const from = event.parentRunId === undefined ? '' : ` for run ${event.parentRunId}`;
      // What waited has shown its input.
      const isNew = data.input !== undefined && before.queuedAt === undefined;
      const input: Span[][] = isNew ? [['  ', preview(data.input)]] : [];
      const place: Span[][] = type === 'run.queued' ? waiting(data.position) : [];
      return [
        [
          ['▶ ', 'cyan'],
          [data.agent, 'bold'],
          [` ${type.slice(4)} · run ${event.runId}${from}`, 'dim'],
        ],
        ...input,
        ...place,
      ];
    }
    case 'run.paused':
    case 'run.resumed':
      return [
        [
          type === 'run.paused' ? ['‖ paused', 'yellow'] : ['▶ resumed', 'cyan'],
          by(data),
          'reason' in data && data.reason !== undefined ? `: ${data.reason}` : '',
        ],
      ];
    case 'plan.created':
    case 'plan.updated':
      return [
        [
          ...who,
          [type === 'plan.created' ? 'Plan' : 'New plan', 'bold'],
          data.goal === undefined ? '' : `: ${data.goal}`,
        ],
        ...data.steps.map((it): Span[] => [...who, mark(after.steps.find(({ id }) => id === it.id)?.status), it.name]),
      ];
    case 'step.started':
    case 'step.completed':
    case 'step.failed': {
      const step = after.steps.find(({ id }) => id === data.stepId);
      const at = after.plan?.stepIds.indexOf(data.stepId) ?? -1;
      const position = at < 0 ? '' : `${at + 1}/${after.plan?.stepIds.length} `;
      const end: Span = event.type === 'step.failed' ? [` ${failure(event.data.error)}`, 'red'] : '';
      return [
        [
          ...who,
          mark(step?.status),
          [`${position}${step?.name ?? data.stepId}`, 'bold'],
          [took(step?.durationMs), 'dim'],
          end,
        ],
      ];
    }
    case 'progress.updated':
      return [[...who, [`… ${Math.round(data.progress * 100)} %`, 'dim'], ` ${data.message ?? ''}`]];
    case 'agent.started': {
      const facts = [data.model, data.childRunId && `run ${data.childRunId}`].filter((it) => it !== undefined);
      return [[...who, [['▶ started', ...facts].join(' · '), 'dim']]];
    }
    case 'agent.completed':
      return [[...who, ['✓ done', 'green'], [took(data.durationMs), 'dim']]];
    case 'agent.failed':
      return [[...who, ['✗ failed', 'red'], [took(data.durationMs), 'dim'], ` ${failure(data.error)}`]];
    case 'activity.reported':
      return [[...who, `… ${data.action} `, [data.status, 'dim']]];
    case 'status.updated':
      return [[...who, `… ${data.message ?? data.status}`]];
    case 'llm.started':
      // Asking rules takes no time and costs nothing: what they answer follows at once.
      return isNoModel(data.model) ? [] : [[...who, [`· asks ${data.model}`, 'dim']]];
    case 'llm.completed':
    case 'llm.failed': {
      const call = after.llmCalls.findLast((it) => it.id === data.callId && it.agentId === event.agent?.id);
      if (event.type === 'llm.failed') {
        return [[...who, ['✗ ', 'red'], `${call?.model ?? 'model'} ${failure(event.data.error)}`]];
      }
      if (isNoModel(call?.model)) return [];
      const { usage, cost: paid } = event.data;
      const cost = paid && `${paid.amount} ${paid.currency}`;
      const facts = [tokens(usage), cost].filter((it) => it !== undefined).join(' · ');
      return [
        [...who, [`· ${call?.model || 'model'} answered${took(data.durationMs)}${facts && ` · ${facts}`}`, 'dim']],
      ];
    }
    case 'tool.called':
      return [[...who, ['→ ', 'cyan'], [data.name, 'bold'], ' ', [preview(data.args), 'dim']]];
    case 'tool.progress': {
      const part = data.progress === undefined ? '' : `${Math.round(data.progress * 100)} % `;
      const said = data.message ?? (data.partial === undefined ? '' : preview(data.partial));
      return [[...who, [`… ${tool(event, after)?.name} ${part}`, 'dim'], said]];
    }
    case 'tool.completed':
      return [
        [
          ...who,
          ['✓ ', 'green'],
          toolName(event, after),
          [`${took(data.durationMs)} `, 'dim'],
          [preview(data.result), 'dim'],
        ],
      ];
    case 'tool.failed':
      return [
        [
          ...who,
          ['✗ ', 'red'],
          toolName(event, after),
          [`${took(data.durationMs)} `, 'dim'],
          [failure(data.error), 'red'],
        ],
      ];
    case 'tool.denied':
      return [
        [
          ...who,
          ['⊘ ', 'yellow'],
          toolName(event, after),
          ` not allowed${data.reason === undefined ? '' : `: ${data.reason}`}`,
        ],
      ];
    case 'approval.requested':
      return [[...who, ['? ', 'yellow'], `${data.prompt} `, [(data.options ?? []).join(' / '), 'dim']]];
    case 'approval.resolved':
      return [[...who, `· ${data.decision}`, by(data), data.comment === undefined ? '' : `: ${data.comment}`]];
    case 'approval.expired':
      return [[...who, ['· nobody answered in time', 'yellow']]];
    case 'input.received':
      return [[...who, `← ${preview(data.input)}`, by(data)]];
    case 'budget.warning':
    case 'budget.exceeded':
      return [[['! ', 'yellow'], `budget ${type.slice(7)}: ${data.used} of ${data.max} (${data.limit})`]];
    case 'control.requested':
      return [
        [['! ', 'yellow'], `${data.command} requested`, by(data), data.reason === undefined ? '' : `: ${data.reason}`],
      ];
    case 'control.refused':
      return [[['! ', 'red'], `${commandOf(data, after)} refused: ${failure(data.error)}`]];
    case 'control.overdue':
      return [[['! ', 'yellow'], `${commandOf(data, after)} not followed yet; it may still be`]];
    case 'artifact.added':
      return [[...who, '+ ', [data.name, 'bold'], ` ${data.url ?? data.mediaType ?? ''}`]];
    case 'error.reported':
      return [[...who, ['! ', 'red'], failure(data.error)]];
    case 'custom':
      return [[...who, [`${data.name} `, 'dim'], preview(data.value)]];
    default:
      // Told elsewhere (texts, the end), part of something that is (sources stand in answers), or nothing to look at.
      return [];
  }
}

/** Name and depth of the agent that an event belongs to, as the beginning of its lines. */
export function whose({ agent }: TelltaleEvent): readonly Span[] {
  if (!agent) return ['  '];
  return ['  '.repeat(Math.min(agent.path.split('/').length, 8)), [`${agent.name} `, 'cyan']];
}

/** How far a run is that waits for its turn. */
function waiting(position: number | undefined): Span[][] {
  if (position === undefined) return [];
  return [[['  … ', 'dim'], position === 0 ? 'next' : `${count(position, 'run')} before it`]];
}

function mark(status: string | undefined): Span {
  if (status === 'completed') return ['✓ ', 'green'];
  if (status === 'failed') return ['✗ ', 'red'];
  return status === 'running' ? ['▸ ', 'cyan'] : ['○ ', 'dim'];
}

const commandOf = ({ commandId }: { commandId: string }, { commands }: RunSnapshot): string =>
  commands.find(({ id }) => id === commandId)?.command ?? 'command';

const by = (data: { by?: string }): Span => (data.by === undefined ? '' : [` by ${data.by}`, 'dim']);

function tool(event: TelltaleEvent, { tools }: RunSnapshot): ToolSpan | undefined {
  return tools.findLast((it) => it.id === event.data['toolCallId' as never] && it.agentId === event.agent?.id);
}

const toolName = (event: TelltaleEvent, after: RunSnapshot): Span => [tool(event, after)?.name || 'tool', 'bold'];
