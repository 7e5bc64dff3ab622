/** telltale/log/embedded: the log in a directory of this machine, the default store. */
import { resolve } from 'node:path';
import type { Log } from '../index.ts';
import type { Damage } from './damage.ts';
import { EmbeddedLog } from './embedded.ts';

export type { Damage };

export interface EmbeddedOptions {
  /** Made where it is missing. One process owns it. */
  readonly dir: string;
  /** Told of everything that was found lost or wrong, when the store is opened or later. Nothing damaged is served. */
  readonly onDamage?: (damage: Damage) => void;
}

const SEGMENT_BYTES = 16 * 1024 * 1024;

/**
 * Opens the log in a directory, durability `disk`: what was acknowledged survives the loss of power. It comes back by
 * itself from a full disk, a kill at any moment and damaged files, and tells what is lost.
 *
 * @throws {TelltaleError} `store_locked` (another process has it), `store_version` (written by a newer version),
 *   `store_damaged` (beyond repair; says what to move away), `storage_full`, `log_unavailable`.
 * @example
 * const log = await openEmbedded({ dir: './data', onDamage: ({ where, what }) => console.error(where, what) });
 */
export async function openEmbedded({ dir, onDamage }: EmbeddedOptions): Promise<Log> {
  return EmbeddedLog.open({ dir: resolve(dir), segmentBytes: SEGMENT_BYTES, tell: onDamage ?? (() => {}) });
}
