import type { Problem } from './problem.ts';

/**
 * Every way Telltale says no. The code decides the HTTP status and whether trying again can help; texts are for people
 * and may change. It is always safe to repeat a request that carried a producer key. What the codes are called in
 * problem details is in `problem.ts`: clients, which ship this file, are told it by the server.
 */
const STATUS = {
  invalid_request: 400,
  invalid_json: 400,
  invalid_event: 400,
  invalid_cursor: 400,
  reserved_type: 400,
  too_deep: 400,
  unauthorized: 401,
  budget_exceeded: 402,
  forbidden: 403,
  access_revoked: 403,
  producer_fenced: 403,
  lease_fenced: 403,
  origin_refused: 403,
  host_refused: 403,
  path_refused: 403,
  not_found: 404,
  run_not_found: 404,
  thread_not_found: 404,
  agent_not_found: 404,
  approval_not_found: 404,
  method_not_allowed: 405,
  not_acceptable: 406,
  run_exists: 409,
  run_open: 409,
  run_closed: 409,
  already_decided: 409,
  approval_expired: 409,
  command_refused: 409,
  producer_gap: 409,
  producer_conflict: 409,
  request_timeout: 408,
  run_deleted: 410,
  event_too_large: 413,
  batch_too_large: 413,
  run_full: 413,
  unsupported_media_type: 415,
  idempotency_conflict: 422,
  headers_too_large: 431,
  internal: 500,
  overloaded: 503,
  auth_unavailable: 503,
  log_unavailable: 503,
  log_closed: 503,
  timed_out: 504,
  storage_full: 507,
  store_locked: 500,
  store_damaged: 500,
  store_version: 500,
  invalid_option: 500,
  cannot_listen: 500,
  unsafe_bind: 500,
  agent_failed: 500,
  tool_failed: 500,
  executor_lost: 500,
  stream_broken: 502,
  unreachable: 502,
} as const;

/** The same request, later, may succeed. */
const RETRYABLE: ReadonlySet<string> = new Set<ErrorCode>([
  'request_timeout',
  'overloaded',
  'auth_unavailable',
  'log_unavailable',
  'log_closed',
  'storage_full',
  'timed_out',
  'executor_lost',
  'stream_broken',
  'unreachable',
]);

/** The closed set of codes. */
export type ErrorCode = keyof typeof STATUS;
export const ERROR_CODES = /* @__PURE__ */ Object.keys(STATUS) as readonly ErrorCode[];

/**
 * The one error class of Telltale.
 *
 * @example
 * throw new TelltaleError('run_closed', 'Run r1 ended with run.completed. Start a new run.', { runId: 'r1' });
 */
export class TelltaleError extends Error {
  override readonly name = 'TelltaleError';
  readonly code: ErrorCode;
  /** Facts a program can act on, for example `{expected: 7}`; they travel in the problem details. */
  readonly particulars: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    detail: string,
    particulars: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(detail, options);
    this.code = code;
    this.particulars = particulars;
  }

  /** HTTP status of the code. */
  get status(): number {
    return STATUS[this.code];
  }

  /** True where the same request may succeed later. */
  get retryable(): boolean {
    return RETRYABLE.has(this.code);
  }

  /** What a server said: the other way of `problemOf`. A code that this version does not know becomes `fallback`. */
  static fromProblem(problem: unknown, fallback: ErrorCode): TelltaleError {
    const { type, title, status, detail, code, retryable, ...particulars } = Object(problem) as Partial<Problem>;
    const known = typeof code === 'string' && Object.hasOwn(STATUS, code) ? code : fallback;
    const text = [detail, title].find((it) => typeof it === 'string') ?? known;
    return new TelltaleError(known, text, particulars);
  }

  /** Any thrown value as a TelltaleError; what is not ours becomes `internal`, with the original as its cause. */
  static from(error: unknown, code: ErrorCode = 'internal'): TelltaleError {
    if (error instanceof TelltaleError) return error;
    const detail = error instanceof Error ? error.message : String(error);
    return new TelltaleError(code, detail, {}, { cause: error });
  }
}
