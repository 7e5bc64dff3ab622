import type { Context } from 'hono';
import { z } from 'zod';
import type { ProducerKey } from '../log/index.ts';
import { TelltaleError } from '../protocol/index.ts';

/** Visible ASCII, so that no two spellings of one name (NFC and NFD) exist. */
const ID = /^[!-+\--~]{1,64}$/;
const NUMBER = /^(?:0|[1-9]\d{0,15})$/;

const number = z.string().regex(NUMBER).exactOptional();

/** As they are published; `readProducer` checks them. */
export const ProducerHeaders = z.object({
  'Producer-Id': z.string().regex(ID).exactOptional().describe('Who sends. All three headers make one key, or none.'),
  'Producer-Epoch': number.describe('A producer that begins anew takes a higher one; the older is then refused.'),
  'Producer-Seq': number.describe('Counts appends within an epoch of one run: 0, 1, 2 …'),
});

/**
 * The producer key of an append: all three headers, or none.
 *
 * @throws {TelltaleError} `invalid_request` for part of a key, and for numbers in any but their plain spelling.
 */
export function readProducer(c: Context): Omit<ProducerKey, 'digest'> | undefined {
  const id = c.req.header('producer-id');
  const epoch = c.req.header('producer-epoch');
  const seq = c.req.header('producer-seq');
  if (id === undefined && epoch === undefined && seq === undefined) return undefined;
  if (id === undefined || epoch === undefined || seq === undefined) {
    throw new TelltaleError(
      'invalid_request',
      'Producer-Id, Producer-Epoch and Producer-Seq make one key: send all three, or none.',
    );
  }
  if (!ID.test(id)) {
    throw new TelltaleError('invalid_request', 'Producer-Id must be 1 to 64 visible ASCII characters without commas.');
  }
  return { id, epoch: plainNumber('Producer-Epoch', epoch), seq: plainNumber('Producer-Seq', seq) };
}

function plainNumber(header: string, text: string): number {
  const number = NUMBER.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(number)) return number;
  throw new TelltaleError('invalid_request', `${header} must be a whole number from 0 to 2^53 - 1, in digits only.`);
}
