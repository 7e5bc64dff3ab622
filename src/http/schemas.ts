/** What requests may say: one schema for each body and each query string (PROTOCOL.md section 8). */
import { z } from 'zod';
import { budgetLimits, ID_PATTERN, LEASE_SECONDS, TIMEOUT_SECONDS } from '../protocol/index.ts';

const id = z
  .string()
  .regex(ID_PATTERN, 'must be 1 to 32 characters of A-Z, a-z, 0-9, "_" and "-"; leave it out to have one made');
const name = z.string().min(1).max(256);
const LEASE = 'Seconds of silence after which a remote run ends as `executor_lost`.';
const lease = z.int().min(LEASE_SECONDS.least).max(LEASE_SECONDS.most);
/** A whole number from a query string, in one spelling only. */
const count = (max: number) =>
  z
    .string()
    .regex(/^[1-9]\d{0,8}$/, `must be a number from 1 to ${max}`)
    .transform(Number)
    .pipe(z.number().max(max, `must be a number from 1 to ${max}`))
    .meta({ type: 'integer', minimum: 1, maximum: max, pattern: undefined });
/** Any RFC 3339 time, as the UTC one that the log compares with. */
const time = z.iso
  .datetime({ offset: true, error: 'must be an RFC 3339 time such as 2026-11-20T18:00:00Z' })
  .transform((it) => new Date(it).toISOString());

export const StartRunRequest = z.strictObject({
  agent: name,
  input: z.unknown().exactOptional().describe('Any JSON value; the agent is given it.'),
  threadId: id.exactOptional().describe('Left out: a thread of its own, with the id of the run.'),
  runId: id.exactOptional().describe('Left out: one is made that nobody can guess.'),
  metadata: z.record(z.string(), z.unknown()).exactOptional(),
  mode: z
    .enum(['local', 'remote'])
    .exactOptional()
    .describe('`remote`: nobody runs it here; somebody appends its events.'),
  lease: lease.exactOptional().describe(LEASE),
  timeout: z
    .int()
    .min(TIMEOUT_SECONDS.least)
    .max(TIMEOUT_SECONDS.most)
    .exactOptional()
    .describe(
      'Seconds that it may take once it has started, without those in which it is paused. Not for remote runs.',
    ),
  budget: budgetLimits
    .exactOptional()
    .describe(
      "The most that it may spend. The smallest of each maximum counts, of this, the agent's and the server's.",
    ),
});

/** Checked one by one by `parseDraft`, against its type: what is wrong with one is `invalid_event`. */
export const EventDraft = z.unknown();

export const AppendRequest = z.strictObject({
  events: z.array(EventDraft).min(1, 'must hold at least one event'),
});

export const AppendToThreadRequest = z.strictObject({
  ...AppendRequest.shape,
  agent: name.exactOptional().describe('Of the implicit run, where one is opened; `session` by default.'),
  lease: lease.exactOptional().describe(LEASE),
});

/** Of cancel, pause and resume. */
export const CommandRequest = z.strictObject({
  reason: z.string().max(4096).exactOptional(),
  by: name.exactOptional(),
});

export const AnswerRequest = z.strictObject({
  decision: name.describe('One of the options of the question.'),
  comment: z.string().max(4096).exactOptional(),
  by: name.exactOptional(),
});

export const InputRequest = z.strictObject({
  input: z
    .unknown()
    .refine((it) => it !== undefined, 'must be a JSON value')
    .describe('Any JSON value.'),
  by: name.exactOptional(),
});

const STATUSES = ['queued', 'running', 'paused', 'completed', 'failed', 'cancelled'] as const;
const statuses = z
  .string()
  .transform((text) => [...new Set(text.split(','))])
  .pipe(z.array(z.enum(STATUSES)));

export const ListRunsQuery = z.strictObject({
  agent: name.exactOptional(),
  status: statuses.exactOptional().describe(`Comma-separated, any of them: ${STATUSES.join(', ')}.`),
  threadId: id.exactOptional(),
  since: time.exactOptional().describe('Begun after this RFC 3339 time.'),
  until: time.exactOptional().describe('Begun before this RFC 3339 time.'),
  before: z.string().max(256).exactOptional().describe('`next` of the page before.'),
  details: z
    .enum(['true', 'false'])
    .transform((details) => details === 'true')
    .exactOptional()
    .describe(
      '`true`: with what only the events tell of each run (title, step, agents, errors, cost). The page waits for it, 5 s at most; what is not known by then is absent. Of the JSON page only: the live list tells it by itself.',
    ),
  limit: count(200).default(50).describe('50 by default.'),
});

/** Where an imported run goes, if not to its own id and a thread of its own. */
export const ImportQuery = z.strictObject({
  runId: id.exactOptional(),
  threadId: id.exactOptional(),
});

export const EventsQuery = z.strictObject({
  after: z.string().exactOptional().describe('A cursor: begin strictly after it.'),
  limit: count(1000).default(100).describe('100 by default.'),
  wait: count(60).exactOptional().describe('Seconds to wait for the first event where there is none yet.'),
});

export const NoQuery = z.strictObject({});
