import { type ErrorInfo, TelltaleError } from '../../protocol/index.ts';

/** Characters kept of a message: a provider's error can carry the whole request. */
const MESSAGE = 8 * 1024;

/** Errors by which a signal stops a call. */
const STOPS: Readonly<Record<string, string>> = {
  AbortError: 'cancelled',
  ResponseAborted: 'cancelled',
  TimeoutError: 'timeout',
};

/**
 * What was thrown, as the log tells it. An abort is `cancelled`, a time limit `timeout`; an error of ours keeps its code,
 * all else gets `code`. Provider errors bring their HTTP `status` and whether the same call may succeed later. Nothing
 * else is taken of them: they hold the request with its headers.
 */
export function failure(thrown: unknown, code: string, showText: boolean): ErrorInfo {
  const error = lastOf(thrown);
  const { name, statusCode, isRetryable } = Object(error) as Record<string, unknown>;
  return {
    code: error instanceof TelltaleError ? error.code : (STOPS[String(name)] ?? code),
    message: showText ? messageOf(error).slice(0, MESSAGE) : 'Not recorded (recordInputs or recordOutputs is off).',
    ...(typeof isRetryable === 'boolean' && { retryable: isRetryable }),
    ...(typeof statusCode === 'number' && { status: statusCode }),
  };
}

/** After its last attempt AI SDK throws one error that wraps those of all attempts. */
function lastOf(thrown: unknown): unknown {
  return (Object(thrown) as { lastError?: unknown }).lastError ?? thrown;
}

function messageOf(error: unknown): string {
  if (typeof error === 'string') return error;
  const { message } = Object(error) as { message?: unknown };
  if (typeof message === 'string' && message !== '') return message;
  try {
    return JSON.stringify(error) ?? String(error);
  } catch {
    return 'An error that cannot be read.';
  }
}
