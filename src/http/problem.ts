import { RequestError } from '@hono/node-server';
import { HTTPException } from 'hono/http-exception';
import { problemOf, randomId, TelltaleError } from '../protocol/index.ts';
import { challengeOf } from './access/refusals.ts';
import type { ErrorReport } from './context.ts';

const PROBLEM_TYPE = 'application/problem+json';

/** An error as an answer: problem details (RFC 9457), never a stack. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface RequestLine {
  readonly method: string;
  readonly path: string;
}

/**
 * What a client is told of an error. Of one that nobody expected it learns an id and nothing else: the text of a foreign
 * error (or of one of ours that the disk caused) can hold paths, queries and secrets. The rest goes to `report`.
 */
export function refusalOf(error: unknown, { method, path }: RequestLine, report: ErrorReport): Refusal {
  const known = expected(error);
  if (known && (known.status < 500 || isLimit(known))) return refusal(known);
  const errorId = tell(error, { method, path }, report);
  // One with a cause says what the disk said.
  if (known && known.cause === undefined) return refusal(known);
  const detail = `Tell the operator of this server: error ${errorId}.`;
  return refusal(new TelltaleError(known?.code ?? 'internal', detail, { errorId }));
}

export function refusal(error: TelltaleError): Refusal {
  const problem = problemOf(error);
  const headers: Record<string, string> = { 'content-type': PROBLEM_TYPE };
  // RFC 9110 section 15.5.6: a 405 has to name what is allowed.
  if (Array.isArray(problem.allow)) headers.allow = problem.allow.join(', ');
  const challenge = challengeOf(error);
  if (challenge !== undefined) headers['www-authenticate'] = challenge;
  if (error.status === 503) headers['retry-after'] = '1';
  return { status: problem.status, headers, body: JSON.stringify(problem) };
}

/** The error as one of ours, where it says something that a client may know. */
function expected(error: unknown): TelltaleError | undefined {
  if (error instanceof TelltaleError) return error.code === 'internal' ? undefined : error;
  // What the server beneath makes of a target or Host that is no address.
  if (error instanceof RequestError) {
    return new TelltaleError('invalid_request', 'The request needs a valid path and one valid Host header.');
  }
  if (error instanceof HTTPException && error.status < 500) {
    return new TelltaleError('invalid_request', error.message || 'The request could not be understood.');
  }
  return undefined;
}

/** It does as it was told to: no fault, and there may be thousands a second. */
const isLimit = ({ code, cause }: TelltaleError): boolean => code === 'overloaded' && cause === undefined;

/** Reports what is the server's fault, under an id. A report that fails must not turn one answer into none. */
export function tell(error: unknown, { method, path }: RequestLine, report: ErrorReport): string {
  const errorId = randomId(12);
  try {
    report(error, { errorId, method, path });
  } catch (cause) {
    console.error('onError failed', cause);
  }
  return errorId;
}
