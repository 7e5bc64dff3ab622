import type { Cost, RunSnapshot, StepSpan } from '../protocol/index.ts';

/** What a list says of a run that only its events tell. Absent: they do not say, or it is not known yet. */
export interface RunDetails {
  /** `metadata.title`, else the beginning of its input: one line of 120 characters at most. */
  readonly title?: string;
  /** `time` of its last event (RFC 3339). */
  readonly lastAt?: string;
  /** The step under way, or the last one begun. */
  readonly step?: RunStep;
  /** How many agents it has invoked. */
  readonly agents?: number;
  /** How many of its events told of an error. */
  readonly errors?: number;
  /** So far. */
  readonly cost?: Pick<Cost, 'amount' | 'currency' | 'source'>;
}

/** Where a run is: step `index` of `total`, counted from 1; without a plan the steps so far, and no total. */
export interface RunStep {
  readonly name: string;
  readonly index: number;
  readonly total?: number;
}

/** The parts of a snapshot that lists tell of. */
export type Detailed = Pick<RunSnapshot, 'input' | 'metadata' | 'plan' | 'steps' | 'agents' | 'errors' | 'cost'>;

/** Events of other types change nothing that `detailsOf` says; `run.*` and the others in groups of their own are all in it. */
export const tellsDetails = (type: string): boolean => GROUPS.test(type) || TYPES.has(type);
const GROUPS = /^(?:run|plan|step|agent)\./;
const TYPES = new Set(['llm.completed', 'llm.failed', 'tool.failed', 'usage.updated', 'error.reported']);

/** What the fold of a run says in a list; its `lastAt` is not in a fold. */
export function detailsOf(snapshot: Detailed): RunDetails {
  const { agents, errors, cost } = snapshot;
  const [title] = titlesOf(snapshot);
  const step = stepOf(snapshot);
  return {
    ...(title !== undefined && { title }),
    ...(step && { step }),
    agents: agents.length,
    errors: errors.length,
    // Sums of binary fractions are not exact: ten times 0.1 shall be 1.
    ...(cost && { cost: { ...costOf(cost), amount: Number(cost.amount.toFixed(9)) } }),
  };
}

/** What rows need of a cost; whatever else a producer has said of it is left out. */
export const costOf = ({ amount, currency, source }: Cost): NonNullable<RunDetails['cost']> => ({
  amount,
  currency,
  source: oneLine(source),
});

/** Where an input that is an object may say what it asks for. */
const ASKS = ['question', 'task', 'prompt', 'message', 'description', 'text'] as const;

/** The texts that may be a run's title, the first of which is. */
export function titlesOf({ metadata, input }: Pick<Detailed, 'metadata' | 'input'>): readonly string[] {
  const asked = typeof input === 'object' && input !== null ? (input as Record<string, unknown>) : {};
  return [metadata?.title, input, ...ASKS.map((name) => asked[name])]
    .flatMap((text) => (typeof text === 'string' ? [oneLine(text)] : []))
    .filter((line) => line !== '');
}

function stepOf({ plan, steps }: Detailed): RunStep | undefined {
  const begun = steps.filter(({ status }) => status !== 'pending');
  const running = begun.filter(({ status }) => status === 'running');
  const newest = (running.length > 0 ? running : begun).reduce<StepSpan | undefined>(
    (a, b) => (a && (a.startSeq ?? 0) > (b.startSeq ?? 0) ? a : b),
    undefined,
  );
  if (!newest) return undefined;
  const name = oneLine(newest.name);
  const planned = plan?.stepIds.indexOf(newest.id) ?? -1;
  if (plan && planned >= 0) return { name, index: planned + 1, total: plan.stepIds.length };
  return { name, index: begun.indexOf(newest) + 1 };
}

const MOST = 120;

/** The beginning of a text as one line of at most 120 characters, without control characters. */
export function oneLine(text: string): string {
  // Enough to cut: a character is two units at most, and what is dropped between words is rarely more.
  const line = text
    .slice(0, 16 * MOST)
    .replace(BLANK, ' ')
    .trim();
  const characters = Array.from(line);
  return characters.length > MOST
    ? `${characters
        .slice(0, MOST - 1)
        .join('')
        .trimEnd()}…`
    : line;
}

const BLANK = /[\s\p{Cc}\p{Zl}\p{Zp}]+/gu;
