import type { AgentSpan, RunSnapshot, Usage } from '../protocol/index.ts';

/** What was done, as far as it is known. */
export interface Counts {
  readonly tools: number;
  readonly errors: number;
  /** Of its calls of language models. Absent while none told it. */
  readonly usage?: Usage;
}

/** One invocation of an agent, with what it did itself, and together with all that it invoked. */
export interface AgentEntry {
  readonly agent: AgentSpan;
  /** 0 for those that the run itself invoked. */
  readonly depth: number;
  readonly own: Counts;
  readonly total: Counts;
}

const NOTHING: Counts = { tools: 0, errors: 0 };

interface Node {
  agent: AgentSpan;
  parent: Node | undefined;
  depth: number;
  own: Counts;
  total: Counts;
  entry: AgentEntry | undefined;
}

type Seen = { readonly data: RunSnapshot | undefined };
const known = new WeakMap<object, (run: Seen) => readonly AgentEntry[]>();

/** Counts of a store's views: once, for all components that show something of it. */
export function agentsOf(store: object): (run: Seen) => readonly AgentEntry[] {
  let counts = known.get(store);
  if (!counts) {
    const counted = agentCounts();
    let of: RunSnapshot | undefined;
    let last = counted(of);
    counts = ({ data }) => {
      if (data !== of) last = counted(data);
      of = data;
      return last;
    };
    known.set(store, counts);
  }
  return counts;
}

/** Anything that counts for an agent. */
type Counted = { readonly agentId?: string };

/**
 * Counts for the agents of a run, from snapshots of any moment of it: each costs for what changed. Entries that say the
 * same are the same objects.
 */
export function agentCounts(): (snapshot: RunSnapshot | undefined) => readonly AgentEntry[] {
  const nodes = new Map<string, Node>();
  /** What agents did that are not there: they may come yet. */
  const own = new Map<string, Counts>();
  let seen: Pick<RunSnapshot, 'agents' | 'tools' | 'errors' | 'llmCalls'> = {
    agents: [],
    tools: [],
    errors: [],
    llmCalls: [],
  };
  let shown: readonly AgentEntry[] = [];
  let isNews = false;

  function add(agentId: string | undefined, more: Counts): void {
    if (agentId === undefined) return;
    own.set(agentId, plus(own.get(agentId) ?? NOTHING, more));
    const node = nodes.get(agentId);
    if (!node) return;
    isNews = true;
    node.own = plus(node.own, more);
    for (let at: Node | undefined = node; at; at = at.parent) {
      at.total = plus(at.total, more);
      at.entry = undefined;
    }
  }

  /** Counts what came, and takes back what went. */
  function count<T extends Counted>(was: readonly T[], is: readonly T[], countsOf: (it: T) => Counts): void {
    if (was === is) return;
    for (let i = 0; i < Math.max(was.length, is.length); i++) {
      const [before, after] = [was[i], is[i]];
      if (before === after) continue;
      const [less, more] = [before && countsOf(before), after && countsOf(after)];
      if (before?.agentId === after?.agentId && isEqual(less, more)) continue;
      if (before && less) add(before.agentId, minus(less));
      if (after && more) add(after.agentId, more);
    }
  }

  /** Agents came or went: the tree is another one. */
  function plant(agents: readonly AgentSpan[]): void {
    nodes.clear();
    const children = new Map<Node | undefined, Node[]>();
    for (const agent of agents) {
      const mine = own.get(agent.id) ?? NOTHING;
      nodes.set(agent.id, { agent, parent: undefined, depth: 0, own: mine, total: mine, entry: undefined });
    }
    for (const node of nodes.values()) {
      const parent = nodes.get(node.agent.parentId ?? '');
      // As in the timeline: an agent began after the one that invoked it.
      if (parent && parent.agent.startSeq < node.agent.startSeq) node.parent = parent;
      const siblings = children.get(node.parent);
      if (siblings) siblings.push(node);
      else children.set(node.parent, [node]);
    }
    // In the order of a tree, by hand: chains may be longer than calls can be deep.
    const ordered: Node[] = [];
    const levels = [(children.get(undefined) ?? []).values()];
    for (let level = levels.at(-1); level; level = levels.at(-1)) {
      const { value: node } = level.next();
      if (!node) {
        levels.pop();
        continue;
      }
      node.depth = levels.length - 1;
      ordered.push(node);
      levels.push((children.get(node) ?? []).values());
    }
    for (const node of ordered.toReversed()) if (node.parent) node.parent.total = plus(node.parent.total, node.total);
    nodes.clear();
    for (const node of ordered) nodes.set(node.agent.id, node);
  }

  return (snapshot) => {
    if (!snapshot) return [];
    const was = seen;
    seen = snapshot;
    isNews = false;
    count(was.tools, snapshot.tools, () => ({ tools: 1, errors: 0 }));
    count(was.errors, snapshot.errors, () => ({ tools: 0, errors: 1 }));
    count(was.llmCalls, snapshot.llmCalls, ({ usage }) => ({ ...NOTHING, ...(usage && { usage }) }));
    const { agents } = snapshot;
    if (agents !== was.agents) {
      isNews = true;
      const isSame =
        agents.length === nodes.size &&
        agents.every(({ id, parentId, startSeq }) => {
          const known = nodes.get(id)?.agent;
          return known?.parentId === parentId && known?.startSeq === startSeq;
        });
      if (!isSame) plant(agents);
      for (const agent of agents) {
        const node = nodes.get(agent.id);
        if (!node || node.agent === agent) continue;
        node.agent = agent;
        node.entry = undefined;
      }
    }
    if (!isNews) return shown;
    const before = new Map(shown.map((it) => [it.agent, it]));
    shown = Array.from(nodes.values(), (node) => {
      node.entry ??= kept(before.get(node.agent), node);
      return node.entry;
    });
    return shown;
  };
}

function kept(before: AgentEntry | undefined, { agent, depth, own, total }: Node): AgentEntry {
  const isSame = before && before.depth === depth && isEqual(before.own, own) && isEqual(before.total, total);
  return isSame ? before : { agent, depth, own, total };
}

const USED = ['inputTokens', 'outputTokens', 'totalTokens', 'cachedInputTokens', 'reasoningTokens'] as const;

function plus(a: Counts, b: Counts): Counts {
  const usage: { -readonly [K in keyof Usage]: Usage[K] } = {};
  for (const name of USED) {
    const sum = (a.usage?.[name] ?? 0) + (b.usage?.[name] ?? 0);
    if (sum > 0) usage[name] = sum;
  }
  const isUsed = Object.keys(usage).length > 0;
  return { tools: a.tools + b.tools, errors: a.errors + b.errors, ...(isUsed && { usage }) };
}

function minus({ tools, errors, usage }: Counts): Counts {
  const less = Object.entries(usage ?? {}).map(([name, count]) => [name, -(count as number)]);
  return { tools: -tools, errors: -errors, ...(usage && { usage: Object.fromEntries(less) as Usage }) };
}

const isEqual = (a: Counts | undefined, b: Counts | undefined): boolean =>
  a?.tools === b?.tools && a?.errors === b?.errors && USED.every((name) => a?.usage?.[name] === b?.usage?.[name]);
