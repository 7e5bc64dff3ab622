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
 * else is taken of them: they hold the request with its headers. Never throws, whatever was thrown.
 */
export function failure(thrown: unknown, code: string, showText: boolean): ErrorInfo {
  try {
    return read(thrown, code, showText);
  } catch {
    // A member that throws, a revoked proxy, a circle without a message.
    return { code, message: 'An error that cannot be read.' };
  }
}

function read(thrown: unknown, code: string, showText: boolean): ErrorInfo {
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
  if (typeof error !== 'object' || error === null) return String(error);
  const { message, code } = error as { message?: unknown; code?: unknown };
  if (typeof message === 'string' && message !== '') return message;
  // Node's AggregateError of a refused connection has a code alone.
  if (error instanceof Error) return typeof code === 'string' ? code : error.name;
  return JSON.stringify(error);
}
