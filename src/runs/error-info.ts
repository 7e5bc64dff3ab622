import { type ErrorInfo, TelltaleError } from '../protocol/index.ts';
import { messageOf } from './plain.ts';

/** Characters kept of a message and of a stack: a framework's error can carry a whole prompt. */
const MESSAGE = 8 * 1024;
const STACK = 16 * 1024;

/**
 * What was thrown, as the log tells it. `code` is what is said of errors that bring none of ours; an error because the
 * run was aborted is `cancelled`. Never throws.
 */
export function errorInfo(thrown: unknown, code: string, keepStacks: boolean): ErrorInfo {
  return { ...errorText(thrown, keepStacks), code: codeOf(thrown) ?? code };
}

/** The same under a code that is settled, whatever the error says of itself. */
export function errorInfoAs(code: string, thrown: unknown, keepStacks: boolean): ErrorInfo {
  return { ...errorText(thrown, keepStacks), code };
}

function errorText(thrown: unknown, keepStacks: boolean): { message: string; stack?: string } {
  const message = thrown === undefined ? 'Nothing was thrown with it (undefined)' : messageOf(thrown);
  const stack = keepStacks && thrown instanceof Error ? readStack(thrown) : undefined;
  return { message: message.slice(0, MESSAGE), ...(stack !== undefined && { stack }) };
}

function codeOf(thrown: unknown): string | undefined {
  if (thrown instanceof TelltaleError) return thrown.code;
  return thrown instanceof DOMException && thrown.name === 'AbortError' ? 'cancelled' : undefined;
}

function readStack(error: Error): string | undefined {
  try {
    return typeof error.stack === 'string' ? error.stack.slice(0, STACK) : undefined;
  } catch {
    return undefined;
  }
}
