/** Whatever a run tells, in whatever order its moments are shown: the rows are those that one makes from scratch. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { emptySnapshot, parseDraft, type RunSnapshot, reduceAll, type TelltaleEvent } from '../protocol/index.ts';
import { durationOf } from './duration.ts';
import { type TimelineOptions, type TimelineRow, timelineOf } from './timeline.ts';

// Few ids, so that everything meets everything.
const id = fc.constantFrom('1', '2', '3', '4', '5', '6', '7', '8', '9');
const error = fc.constant({ code: 'x', message: 'no' });
const said = (types: string[], data: Record<string, fc.Arbitrary<unknown>> = {}) =>
  fc.record({ type: fc.constantFrom(...types), data: fc.record(data) });
const name = fc.constantFrom('search', 'search', 'search', 'read');
const calls = said(['tool.called', 'tool.completed', 'tool.completed'], {
  toolCallId: id,
  name,
  args: fc.constant({}),
});
const drafts = fc.oneof(
  calls,
  calls,
  calls,
  said(['tool.failed'], { toolCallId: id, error }),
  said(['tool.denied'], { toolCallId: id }),
  said(['message.delta'], { messageId: id, delta: fc.constant('a') }),
  said(['reasoning.delta'], { reasoningId: id, delta: fc.constant('a') }),
  said(['reasoning.completed'], { reasoningId: id }),
  said(['plan.created'], { steps: fc.array(fc.record({ id, name: fc.constant('s') })) }),
  said(['step.started'], { stepId: id, name: fc.constant('s') }),
  said(['step.completed'], { stepId: id }),
  said(['step.failed'], { stepId: id, error }),
  said(['agent.started', 'agent.started', 'agent.completed']),
  said(['agent.failed', 'error.reported', 'llm.failed'], { error, callId: id }),
  said(['activity.reported'], { action: fc.constant('a'), status: fc.constant('s') }),
  said(['approval.requested'], { approvalId: id, prompt: fc.constant('?'), toolCallId: id }),
  said(['control.requested'], { command: fc.constant('pause'), commandId: id }),
  said(['state.patched'], { patch: fc.constant([{ op: 'remove', path: '/none' }]) }),
);
const agents = fc.option(
  fc.constantFrom('a', 'b', 'a/c', 'c/a', 'x/d').map((path) => ({ id: path.split('/').at(-1), name: 'n', path })),
  { nil: undefined, freq: 2 },
);
const runs = fc
  .record({
    body: fc.array(fc.record({ draft: drafts, agent: agents }), { minLength: 5, maxLength: 80, size: 'max' }),
    isEnded: fc.boolean(),
  })
  .map(({ body, isEnded }) => {
    const all = [
      ...body.map(({ draft, agent }) => ({ ...draft, ...(agent && { agent }) })),
      ...(isEnded ? [{ type: 'run.completed', data: {} }] : []),
    ];
    return all.map((draft, i) => ({
      seq: i + 1,
      epoch: 'e',
      threadId: 'r',
      runId: 'r',
      time: new Date((i + 1) * 1_000).toISOString(),
      ...parseDraft(draft),
    })) as unknown as TelltaleEvent[];
  });
/** Where the next snapshot is, what the reader does, and what is asked for. */
const looks = fc.array(
  fc.record({
    to: fc.nat(85),
    toggled: fc.option(fc.nat(40), { nil: undefined }),
    options: fc.record(
      {
        show: fc.constantFrom('all' as const, 'all' as const, 'thinking' as const, 'tools' as const, 'errors' as const),
        step: fc.constantFrom('1', '2'),
        group: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
  }),
  { minLength: 3, maxLength: 12 },
);

test('rows that are made from those before are the rows made from scratch, at any moment of a run, forward and back', () => {
  fc.assert(
    fc.property(runs, looks, (events, looks) => {
      const rowsOf = timelineOf();
      let choices = new Map<string, boolean>();
      let snapshot = emptySnapshot('r');
      for (const { to, toggled, options } of looks) {
        // On from what there is, which shares its items, or anew, which shares none.
        snapshot = reduceAll(to >= snapshot.seq ? snapshot : emptySnapshot('r'), events.slice(0, to));
        const rows = rowsOf(snapshot, choices, options);
        expect(told(rows)).toEqual(model(snapshot, choices, options));
        expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length);
        expect(rowsOf({ ...snapshot }, new Map(choices), options)).toBe(rows);
        // The way to a row opens what is closed, and the row is there then.
        const path = rowsOf.pathTo(to);
        if (path) {
          const opened = new Map([...choices, ...path.closed.map((key) => [key, true] as const)]);
          expect(rowsOf(snapshot, opened, options).map(({ key }) => key)).toContain(path.key);
        }
        const row = toggled === undefined ? undefined : rows[toggled % rows.length];
        if (row) choices = new Map(choices).set(row.key, !row.isOpen);
      }
    }),
    { numRuns: process.env.TELLTALE_LONG ? 5_000 : 300 },
  );
}, 300_000);

const told = (rows: readonly TimelineRow[]) =>
  rows.map(({ kind, item, seq, depth, isOpen }) => ({ kind, item, seq, depth, isOpen }));

interface Item {
  id?: string;
  agentId?: string;
  name?: string;
  status?: string;
  error?: unknown;
  startedAt?: string;
  seq: number;
}
interface Made {
  kind: string;
  item: Item;
  seq: number;
  key: string;
}

/** The rows as one would make them who has all the time in the world. */
function model(s: RunSnapshot, choices: ReadonlyMap<string, boolean>, options: TimelineOptions) {
  const { show = 'all', step, group = true } = options;
  const agentsById = new Map(s.agents.map((agent) => [agent.id, agent]));
  const spans = [...s.agents, ...s.steps, ...s.tools];
  // A step that failed and never began has no row that could tell of it.
  const failures = new Set(
    spans.map(({ status, startSeq, endSeq }) => status === 'failed' && startSeq !== undefined && endSeq),
  );
  const within: { startSeq?: number; endSeq?: number } | undefined =
    step === undefined ? { startSeq: 0 } : s.steps.find(({ id }) => id === step);
  const { startSeq: from = Infinity, endSeq: to = Infinity } = within ?? {};
  const owners = new Map(s.tools.map(({ id, agentId }) => [id, agentId]));
  const asked = new Set(s.approvals.map(({ toolCallId }) => toolCallId));
  const made: (Made & { below: string | undefined })[] = [];
  function add(kind: string, items: readonly object[], ownerOf: (item: never) => string | undefined): void {
    for (const it of items as readonly (Item & { startSeq?: number })[]) {
      const seq = it.startSeq ?? it.seq;
      const below = agentsById.get(ownerOf(it as never) ?? '')?.id;
      const key = `${kind}:${(it.agentId ?? '').length}:${it.agentId ?? ''}${it.id ?? seq}`;
      if (seq !== undefined) made.push({ kind, item: it, seq, key, below });
    }
  }
  const own = ({ agentId }: Item): string | undefined => agentId;
  add('agent', s.agents, ({ parentId = '', startSeq }: { parentId?: string; startSeq: number }) =>
    (agentsById.get(parentId)?.startSeq ?? startSeq) < startSeq ? parentId : undefined,
  );
  add('step', s.steps, own);
  add('thinking', s.reasoning, own);
  add('message', s.messages, own);
  add('tool', s.tools, own);
  add('activity', s.activities, own);
  add('approval', s.approvals, ({ toolCallId = '' }: { toolCallId?: string }) => owners.get(toolCallId));
  add('command', s.commands, () => undefined);
  add(
    'error',
    s.errors.filter(({ seq }) => !failures.has(seq)),
    own,
  );
  made.sort((a, b) => a.seq - b.seq);

  const isShown = ({ kind, item, seq }: Made): boolean => {
    if (seq < from || seq > to) return false;
    if (show === 'thinking') return kind === 'thinking';
    if (show === 'tools') return kind === 'tool' || (kind === 'approval' && 'toolCallId' in item);
    if (show === 'errors')
      return kind === 'error' || 'error' in item || item.status === 'failed' || item.status === 'denied';
    return true;
  };
  const openOf = ({ key, kind, item }: Made): boolean =>
    choices.get(key) ??
    (kind === 'thinking'
      ? item.status === 'running'
      : kind !== 'tool' || ['failed', 'denied'].includes(item.status ?? ''));

  function below(agent: string | undefined, depth: number): object[] {
    const rows: object[] = [];
    const mine = made.filter((it) => it.below === agent && (it.kind === 'agent' || isShown(it)));
    const groupable = (it: Made | undefined): boolean =>
      it?.kind === 'tool' && it.item.status === 'completed' && group && !asked.has(it.item.id);
    const row = (it: Made, at: number) => ({
      kind: it.kind,
      item: it.item,
      seq: it.seq,
      depth: at,
      isOpen: openOf(it),
    });
    while (mine.length > 0) {
      const first = mine.shift() as Made;
      const isOpenGroup = choices.get(`group:${first.key}`) ?? false;
      const calls = [first];
      while (
        groupable(first) &&
        groupable(mine[0]) &&
        (isOpenGroup || (!choices.get(first.key) && !choices.get((mine[0] as Made).key))) &&
        mine[0]?.item.name === first.item.name &&
        mine[0]?.item.agentId === first.item.agentId
      )
        calls.push(mine.shift() as Made);
      if (calls.length >= 4) {
        const { name, agentId } = first.item;
        const durationMs = calls.reduce((sum, { item }) => sum + (durationOf(item) ?? Number.NaN), 0);
        const lastSeq = calls.at(-1)?.seq;
        const about = { name, ...(agentId && { agentId }), status: 'completed', count: calls.length };
        const item = { ...about, ...(!Number.isNaN(durationMs) && { durationMs }), firstSeq: first.seq, lastSeq };
        rows.push({ kind: 'group', item, seq: first.seq, depth, isOpen: isOpenGroup });
        if (isOpenGroup) rows.push(...calls.map((it) => row(it, depth + 1)));
      } else if (first.kind === 'agent') {
        const inside = below(first.item.id, depth + 1);
        if (inside.length > 0 || isShown(first)) rows.push(row(first, depth), ...(openOf(first) ? inside : []));
      } else rows.push(...calls.map((it) => row(it, depth)));
    }
    return rows;
  }
  return below(undefined, 0);
}
