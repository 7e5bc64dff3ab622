import {
  asOneChange,
  type BudgetLimit,
  type BudgetLimits,
  type BudgetUse,
  budgetUsed,
  type EventData,
  type EventDraft,
  emptySnapshot,
  type RunSnapshot,
  reduce,
  TelltaleError,
  type TelltaleEvent,
  type ToolCallRef,
  type Usage,
} from '../protocol/index.ts';

/** A tool call that is to begin, and whose. */
export type ToolCallOf = ToolCallRef & { readonly agentId?: string | undefined };

type Limits = EventData<'budget.set'>;
type Said = Pick<EventDraft, 'type' | 'agent'> & { readonly data: object };
type Told = 'usage.updated' | 'budget.set' | 'budget.warning' | 'budget.exceeded' | 'error.reported';

export interface RunBudgetOptions {
  readonly signal: AbortSignal;
  readonly tell: <T extends Told>(type: T, data: EventData<T>) => void;
  readonly stop: (error: TelltaleError, usage: Usage | undefined) => void;
  /** Resolves when somebody has resumed the run. */
  readonly pause: (reason: string) => Promise<void>;
  /** Resolves with what people decided. */
  readonly ask: (prompt: string) => Promise<boolean>;
}

/** What is true of a budget after an event, and was not told before. */
export type BudgetNews =
  | { readonly type: 'budget.warning'; readonly data: EventData<'budget.warning'> }
  | { readonly type: 'error.reported'; readonly data: EventData<'error.reported'> };

/**
 * The part of the fold that a budget needs, of events that may not be in the log yet: the same fold, without texts,
 * arguments and results.
 */
export class Spending {
  readonly #fold = asOneChange(reduce);
  #snapshot: RunSnapshot = emptySnapshot('run');
  /** A model call did not tell a cost that counts. */
  #unpriced = false;

  get snapshot(): RunSnapshot {
    return this.#snapshot;
  }

  get uses(): readonly BudgetUse[] {
    return budgetUsed(this.#snapshot);
  }

  hear(draft: Said): void {
    const data = this.#relevant(draft);
    if (!data) return;
    const type = draft.type.startsWith('tool.') && draft.type !== 'tool.denied' ? 'tool.started' : draft.type;
    const { agent } = draft;
    const { seq, runId, threadId } = this.#snapshot;
    const at = { seq: seq + 1, runId, threadId, epoch: '', time: '' };
    this.#snapshot = this.#fold(this.#snapshot, { ...at, ...(agent && { agent }), type, data } as TelltaleEvent);
  }

  /** Warnings that are due, and that costs are not known; each until it was heard. */
  news(): readonly BudgetNews[] {
    const { budget, errors } = this.#snapshot;
    const news: BudgetNews[] = [];
    for (const { limit, used, max, warnAt } of this.uses) {
      const isTold = budget?.exceeded?.limit === limit || budget?.warnings.some((it) => it.limit === limit);
      if (isTold || used === undefined || used < warnAt * max) continue;
      news.push({ type: 'budget.warning', data: { limit, used, max } });
    }
    if (this.#unpriced && !errors.some((it) => it.code === UNKNOWN)) {
      const message = `A model call does not tell what it cost in ${budget?.currency}, so the maximum of ${budget?.maxCost} holds only for what is known.`;
      news.push({ type: 'error.reported', data: { error: { code: UNKNOWN, message } } });
    }
    return news;
  }

  /** How many tool calls were told before this one, of those that were not denied. */
  callsBefore({ toolCallId, agentId }: ToolCallOf): number {
    let count = 0;
    for (const tool of this.#snapshot.tools) {
      if (tool.id === toolCallId && tool.agentId === agentId) break;
      if (tool.status !== 'denied') count++;
    }
    return count;
  }

  #relevant({ type, data }: Said): Readonly<Record<string, unknown>> | undefined {
    const { budget } = this.#snapshot;
    const { callId, usage, cost, toolCallId, error } = data as Partial<EventData<'llm.completed'>> & {
      toolCallId?: string;
      error?: { code: string };
    };
    if (type === 'llm.completed' || type === 'usage.updated') {
      const isPriced = cost !== undefined && cost.currency === budget?.currency;
      if (budget?.maxCost !== undefined && !isPriced && (callId !== undefined || !this.#snapshot.cost))
        this.#unpriced = true;
      return { ...(callId !== undefined && { callId }), ...(usage && { usage }), ...(cost && { cost }) };
    }
    if (type.startsWith('budget.')) return { ...data };
    if (type.startsWith('tool.')) return budget?.maxToolCalls === undefined ? undefined : { toolCallId, name: '-' };
    return error?.code === UNKNOWN ? { error } : undefined;
  }
}

const UNKNOWN = 'cost_unknown';

/**
 * The budget of one run that an executor here owns. It is a fold over what the run tells: warns once for each maximum, and
 * before something new begins decides what to do where a maximum is used up. Calls under way are not interrupted, so what
 * a model call costs may go beyond its maximum; a further one does not begin.
 */
export class RunBudget {
  readonly #options: RunBudgetOptions;
  readonly #limits: Limits;
  readonly #spending = new Spending();
  /** While somebody decides, everybody waits for the same answer. */
  #deciding: Promise<void> | undefined;
  #over: TelltaleError | undefined;

  /** @param limits as `strictest` gives them. */
  constructor(limits: Limits, options: RunBudgetOptions) {
    this.#limits = limits;
    this.#options = options;
  }

  /** Tells of the budget, before the agent's first line. */
  begin(): void {
    this.#options.tell('budget.set', this.#limits);
  }

  /** What a run that this one starts may spend: what is left of cost and tokens. Tool calls are each run's own. */
  get left(): BudgetLimits {
    const { currency, warnAt, onExceeded } = this.#limits;
    const rest = this.#spending.uses.flatMap(({ limit, used = 0, max }) =>
      limit === 'toolCalls' ? [] : [[MAXIMUM[limit], Math.max(0, max - used)]],
    );
    const more = { ...(warnAt !== undefined && { warnAt }), ...(onExceeded && { onExceeded }) };
    return { ...Object.fromEntries(rest), ...more, ...(currency !== undefined && { currency }) };
  }

  get spent(): Pick<RunSnapshot, 'usage' | 'cost'> {
    const { usage, cost } = this.#spending.snapshot;
    return { ...(usage && { usage }), ...(cost && { cost }) };
  }

  /** A run that this one has started has ended: what it spent is told as spent here. */
  spentBelow({ usage, cost }: Pick<RunSnapshot, 'usage' | 'cost'> = {}): void {
    if (!usage && !cost) return;
    const total = new Spending();
    const now = this.spent;
    total.hear({ type: 'usage.updated', data: now });
    // As one more model call, so that the sums are the fold's.
    total.hear({ type: 'llm.completed', data: { callId: 'below', ...(usage && { usage }), ...(cost && { cost }) } });
    const { usage: used, cost: paid } = total.snapshot;
    this.#options.tell('usage.updated', { ...(used && { usage: used }), ...(paid && { cost: paid }) });
  }

  /** Everything that the run tells. */
  hear(draft: EventDraft): void {
    this.#spending.hear(draft);
    // Told, each is heard here at once, and so it is no news any more.
    const [next] = this.#spending.news();
    if (next) this.#options.tell(next.type, next.data);
  }

  /**
   * Nothing where something new may begin; else a promise that resolves when it is time to ask again, and rejects where the
   * run ends instead. The maximum of tool calls holds back tool calls alone: a model may still answer with what it has.
   */
  check(call?: ToolCallOf): Promise<void> | undefined {
    const use = this.#usedUp(call);
    if (!use) return undefined;
    // Also after a cancel, or after the run's end: what an agent tidies up with has to fit into its budget.
    if (this.#over || this.#options.signal.aborted) return Promise.reject(this.#over ?? this.#options.signal.reason);
    this.#deciding ??= this.#decide(use, call).finally(() => {
      this.#deciding = undefined;
    });
    return this.#deciding;
  }

  #usedUp(call: ToolCallOf | undefined): Required<BudgetUse> | undefined {
    for (const use of this.#spending.uses) {
      const { limit, used, max } = use;
      if (used === undefined || (limit === 'toolCalls' && !call)) continue;
      // A framework tells of several calls before the first of them begins: those before this one count.
      const counted = limit === 'toolCalls' && call ? this.#spending.callsBefore(call) : used;
      if (counted >= max) return { ...use, used };
    }
    return undefined;
  }

  async #decide({ limit, used, max }: Required<BudgetUse>, call: ToolCallOf | undefined): Promise<void> {
    const { tell, pause, ask, stop } = this.#options;
    // Nothing again is nothing: there is nobody to ask.
    const decision = this.#limits[MAXIMUM[limit]] === 0 ? 'stop' : (this.#limits.onExceeded ?? 'stop');
    tell('budget.exceeded', { limit, used, max, decision });
    const what = `The budget is used up: ${used} of ${max} ${this.#unit(limit)}.`;
    if (decision === 'pause') await pause(what);
    if (decision === 'pause' || (decision === 'ask' && (await ask(`${what} The same amount again?`)))) {
      const counted = limit === 'toolCalls' && call ? this.#spending.callsBefore(call) : used;
      const { warnings: _, exceeded: __, ...set } = this.#spending.snapshot.budget ?? { warnings: [] };
      tell('budget.set', { ...set, [MAXIMUM[limit]]: counted + (this.#limits[MAXIMUM[limit]] ?? 0) });
      return;
    }
    this.#over = new TelltaleError('budget_exceeded', what, { limit, used, max });
    stop(this.#over, this.#spending.snapshot.usage);
    throw this.#over;
  }

  #unit(limit: BudgetLimit): string {
    if (limit === 'cost') return `${this.#limits.currency}`;
    return limit === 'tokens' ? 'tokens' : 'tool calls';
  }
}

const MAXIMUM = { cost: 'maxCost', tokens: 'maxTokens', toolCalls: 'maxToolCalls' } as const;
