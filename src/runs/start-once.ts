/**
 * Starting a run under an `Idempotency-Key`. There is no store of keys: the run's id follows from the key, so that the log
 * decides, in the append that opens the run, who was first; and the run's own record says which request that was.
 *
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 */
import { createHash } from 'node:crypto';
import type { Log } from '../log/index.ts';
import { epochOf, TelltaleError } from '../protocol/index.ts';
import { digestOf } from './digest.ts';
import { plain } from './plain.ts';
import type { Started, StartRequest } from './runs.ts';

const KEY = /^[!-~]{1,255}$/;

/**
 * Starts the run, or answers as the first time: by then it may have gone on, or ended.
 *
 * @param open opens the run, whose record has to keep the digest.
 * @throws {TelltaleError} `invalid_request` for what is no key, and for one with a `runId` beside; `idempotency_conflict`
 * (422) where the key came with another request; `run_deleted` where its run was deleted; what `open` refuses.
 */
export async function startOnce(
  log: Log,
  { idempotencyKey: key = '', ...request }: StartRequest,
  open: (request: StartRequest, requestDigest: string) => Promise<Started>,
): Promise<Started> {
  checkKey(key);
  if (request.runId !== undefined) {
    const detail = 'runId: a run gets its id from the Idempotency-Key. Send one of them: a runId is taken once, too.';
    throw new TelltaleError('invalid_request', detail);
  }
  const { owner, tenant, mode = 'local', ...asked } = request;
  const runId = idOf(key, owner, tenant);
  const requestDigest = digestOf(plain({ ...asked, mode }));
  const earlier = await startedBefore(log, runId, requestDigest);
  if (earlier) return earlier;
  try {
    return await open({ ...request, runId }, requestDigest);
  } catch (error) {
    if (TelltaleError.from(error).code !== 'run_exists') throw error;
    // Somebody was faster.
    const first = await startedBefore(log, runId, requestDigest);
    if (first) return first;
    throw error;
  }
}

/** @throws {TelltaleError} `invalid_request` for what is no key. */
export function checkKey(key: string): string {
  if (KEY.test(key)) return key;
  throw new TelltaleError('invalid_request', 'Idempotency-Key must be 1 to 255 visible ASCII characters.');
}

async function startedBefore(log: Log, runId: string, requestDigest: string): Promise<Started | undefined> {
  const run = await log.runs.get(runId);
  const head = run && (await log.head(run.threadId));
  if (!run || !head) return undefined;
  const { threadId, status, first } = run;
  if (run.requestDigest !== requestDigest) {
    const detail = `This Idempotency-Key started run ${runId} with another request. Send the same again, or take a new key.`;
    throw new TelltaleError('idempotency_conflict', detail, { runId });
  }
  return { runId, threadId, status, ack: { epoch: epochOf(head, first), first, last: first }, duplicate: true };
}

/** 180 bits of a hash: nobody comes upon a key that leads to another's run. Keys of different owners are different. */
function idOf(key: string, owner: string | undefined, tenant: string | undefined): string {
  const named = JSON.stringify([
    'telltale idempotency-key',
    owner ?? null,
    key,
    ...(tenant === undefined ? [] : [tenant]),
  ]);
  return `i-${createHash('sha256').update(named).digest('base64url').slice(0, 30)}`;
}
