/** Reads what a server says when it refuses; loaded when one does. */
import { type ErrorCode, TelltaleError } from '../protocol/index.ts';

const BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  410: 'not_found',
  413: 'batch_too_large',
};

/** As `errorOf`. */
export async function readRefusal(response: Response): Promise<TelltaleError> {
  const { status } = response;
  const passes = status >= 500 || status === 408 || status === 429;
  const body = await beginning(response)
    .then(JSON.parse)
    .catch(() => undefined);
  const fallback = passes ? 'unreachable' : (BY_STATUS[status] ?? 'invalid_request');
  const error = TelltaleError.fromProblem({ title: `The server answered with status ${status}.`, ...body }, fallback);
  const seconds = Number(response.headers.get('retry-after'));
  if (!(seconds > 0)) return error;
  return new TelltaleError(error.code, error.message, { ...error.particulars, retryAfterMs: seconds * 1000 });
}

/** Problem details are small; what is larger is something else, and may have no end. */
const MAX_PROBLEM = 64 * 1024;

async function beginning(response: Response): Promise<string> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done = true, value = '' } = (await reader?.read()) ?? {};
    text += value;
    if (done || text.length > MAX_PROBLEM) break;
  }
  await reader?.cancel();
  return text;
}
