/**
 * Every way Telltale says no. The code decides the HTTP status and whether trying again can help; texts are for people
 * and may change. `retryable` means: the same request, later, may succeed. It is always safe to repeat a request that
 * carried a producer key.
 */
const CODES = {
  invalid_request: { status: 400, retryable: false, title: 'The request is not well formed' },
  invalid_json: { status: 400, retryable: false, title: 'The body is not valid JSON' },
  invalid_event: { status: 400, retryable: false, title: 'An event does not match its type' },
  invalid_cursor: { status: 400, retryable: false, title: 'The cursor is not one this log gave out' },
  reserved_type: { status: 400, retryable: false, title: 'This event type is written by Telltale alone' },
  too_deep: { status: 400, retryable: false, title: 'The JSON is nested too deeply' },
  unauthorized: { status: 401, retryable: false, title: 'The request does not say who asks' },
  forbidden: { status: 403, retryable: false, title: 'This is not for whoever asks' },
  producer_fenced: { status: 403, retryable: false, title: 'A newer epoch of this producer has taken over' },
  lease_fenced: { status: 403, retryable: false, title: 'The lease on this run has passed to another executor' },
  origin_refused: { status: 403, retryable: false, title: 'This origin may not use the server' },
  host_refused: { status: 403, retryable: false, title: 'This Host is not one the server answers to' },
  path_refused: { status: 403, retryable: false, title: 'The path is not one that may be read' },
  not_found: { status: 404, retryable: false, title: 'There is nothing at this address' },
  run_not_found: { status: 404, retryable: false, title: 'There is no such run' },
  thread_not_found: { status: 404, retryable: false, title: 'There is no such thread' },
  agent_not_found: { status: 404, retryable: false, title: 'No agent of this name is registered' },
  method_not_allowed: { status: 405, retryable: false, title: 'This address does not take this method' },
  not_acceptable: { status: 406, retryable: false, title: 'This address cannot answer in an accepted form' },
  run_exists: { status: 409, retryable: false, title: 'A run with this id exists already' },
  run_closed: { status: 409, retryable: false, title: 'The run has ended and takes no more events' },
  already_decided: { status: 409, retryable: false, title: 'Another answer came first' },
  producer_gap: { status: 409, retryable: false, title: 'An earlier append of this producer is missing' },
  producer_conflict: { status: 409, retryable: false, title: 'This producer key was used with other content' },
  request_timeout: { status: 408, retryable: true, title: 'The request took too long to arrive' },
  event_too_large: { status: 413, retryable: false, title: 'An event is larger than the limit' },
  batch_too_large: { status: 413, retryable: false, title: 'The batch is larger than the limit' },
  run_full: { status: 413, retryable: false, title: 'The run has reached its number of events' },
  unsupported_media_type: { status: 415, retryable: false, title: 'The body has to be JSON' },
  headers_too_large: { status: 431, retryable: false, title: 'The headers are larger than the limit' },
  internal: { status: 500, retryable: false, title: 'Something went wrong on our side' },
  overloaded: { status: 503, retryable: true, title: 'The server has no room for this now' },
  log_unavailable: { status: 503, retryable: true, title: 'The log cannot take events now' },
  log_closed: { status: 503, retryable: true, title: 'The log is closed' },
  storage_full: { status: 507, retryable: true, title: 'The disk is full' },
  store_locked: { status: 500, retryable: false, title: 'Another process owns this data directory' },
  store_damaged: { status: 500, retryable: false, title: 'The store is damaged and could not be repaired' },
  store_version: { status: 500, retryable: false, title: 'The store was written by a newer version' },
  invalid_option: { status: 500, retryable: false, title: 'An option is not valid' },
  cannot_listen: { status: 500, retryable: false, title: 'The server cannot listen at this address' },
  unsafe_bind: { status: 500, retryable: false, title: 'The server will not listen there without authentication' },
  agent_failed: { status: 500, retryable: false, title: 'The agent stopped with an error' },
  tool_failed: { status: 500, retryable: false, title: 'The tool could not do its work' },
  executor_lost: { status: 500, retryable: true, title: 'The process that ran the agent is gone' },
  stream_broken: { status: 502, retryable: true, title: 'The stream broke the protocol' },
  unreachable: { status: 502, retryable: true, title: 'The server cannot be reached' },
} as const;

/** The closed set of codes. */
export type ErrorCode = keyof typeof CODES;
export const ERROR_CODES = Object.keys(CODES) as readonly ErrorCode[];

/** An error as problem details (RFC 9457), with our `code`, `retryable` and machine-readable particulars beside. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
  retryable: boolean;
  [particular: string]: unknown;
}

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
    return CODES[this.code].status;
  }

  /** True where the same request may succeed later. */
  get retryable(): boolean {
    return CODES[this.code].retryable;
  }

  toProblem(): Problem {
    const { status, retryable, title } = CODES[this.code];
    return {
      ...this.particulars,
      type: `urn:telltale:error:${this.code}`,
      title,
      status,
      detail: this.message,
      code: this.code,
      retryable,
    };
  }

  /** What a server said: the other way of `toProblem`. A code that this version does not know becomes `fallback`. */
  static fromProblem(problem: unknown, fallback: ErrorCode): TelltaleError {
    const { type, title, status, detail, code, retryable, ...particulars } = Object(problem) as Partial<Problem>;
    const known = typeof code === 'string' && Object.hasOwn(CODES, code) ? code : fallback;
    return new TelltaleError(known, typeof detail === 'string' ? detail : CODES[known].title, particulars);
  }

  /** Any thrown value as a TelltaleError; what is not ours becomes `internal`, with the original as its cause. */
  static from(error: unknown, code: ErrorCode = 'internal'): TelltaleError {
    if (error instanceof TelltaleError) return error;
    const detail = error instanceof Error ? error.message : String(error);
    return new TelltaleError(code, detail, {}, { cause: error });
  }
}
