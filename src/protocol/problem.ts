import type { ErrorCode, TelltaleError } from './errors.ts';

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

/** What each code means, in words. */
const TITLES: Readonly<Record<ErrorCode, string>> = {
  invalid_request: 'The request is not well formed',
  invalid_json: 'The body is not valid JSON',
  invalid_event: 'An event does not match its type',
  invalid_cursor: 'The cursor is not one this log gave out',
  reserved_type: 'This event type is written by Telltale alone',
  too_deep: 'The JSON is nested too deeply',
  unauthorized: 'The request does not say who asks',
  budget_exceeded: 'The run has used up its budget',
  forbidden: 'This is not for whoever asks',
  access_revoked: 'The access was taken back',
  producer_fenced: 'A newer epoch of this producer has taken over',
  lease_fenced: 'The lease on this run has passed to another executor',
  origin_refused: 'This origin may not use the server',
  host_refused: 'This Host is not one the server answers to',
  path_refused: 'The path is not one that may be read',
  not_found: 'There is nothing at this address',
  run_not_found: 'There is no such run',
  thread_not_found: 'There is no such thread',
  agent_not_found: 'No agent of this name is registered',
  approval_not_found: 'The run has not asked this',
  method_not_allowed: 'This address does not take this method',
  not_acceptable: 'This address cannot answer in an accepted form',
  run_exists: 'A run with this id exists already',
  run_open: 'The run has not ended',
  run_closed: 'The run has ended and takes no more events',
  already_decided: 'Another answer came first',
  approval_expired: 'The time to answer is over',
  command_refused: 'The run cannot follow this command now',
  producer_gap: 'An earlier append of this producer is missing',
  producer_conflict: 'This producer key was used with other content',
  request_timeout: 'The request took too long to arrive',
  run_deleted: 'The run was deleted',
  event_too_large: 'An event is larger than the limit',
  batch_too_large: 'The batch is larger than the limit',
  run_full: 'The run has reached its number of events',
  unsupported_media_type: 'The body has to be JSON',
  idempotency_conflict: 'This Idempotency-Key was used with another request',
  headers_too_large: 'The headers are larger than the limit',
  internal: 'Something went wrong on our side',
  overloaded: 'The server has no room for this now',
  auth_unavailable: 'Who asks cannot be checked now',
  log_unavailable: 'The log cannot take events now',
  log_closed: 'The log is closed',
  timed_out: 'The run took longer than it may',
  storage_full: 'The disk is full',
  store_locked: 'Another process owns this data directory',
  store_damaged: 'The store is damaged and could not be repaired',
  store_version: 'The store was written by a newer version',
  invalid_option: 'An option is not valid',
  cannot_listen: 'The server cannot listen at this address',
  unsafe_bind: 'The server will not listen there without authentication',
  agent_failed: 'The agent stopped with an error',
  tool_failed: 'The tool could not do its work',
  executor_lost: 'The process that ran the agent is gone',
  stream_broken: 'The stream broke the protocol',
  unreachable: 'The server cannot be reached',
};

/** An error as problem details. Its own fields win over particulars of the same name. */
export function problemOf({ code, message, status, retryable, particulars }: TelltaleError): Problem {
  const type = `urn:telltale:error:${code}`;
  return { ...particulars, type, title: TITLES[code], status, detail: message, code, retryable };
}
