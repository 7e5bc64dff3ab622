import { cpSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StorePlace } from '../../testing/index.ts';
import type { Log } from '../index.ts';
import type { Damage } from './damage.ts';
import { EmbeddedLog } from './embedded.ts';

export const newDir = (): Promise<string> => mkdtemp(join(tmpdir(), 'telltale-'));

/** Opens a store whose segments may be small; what it finds damaged goes into `told`. */
export const openStore = (dir: string, segmentBytes: number, told: Damage[] = []): Promise<Log> =>
  EmbeddedLog.open({ dir, segmentBytes, tell: (damage) => told.push(damage) });

/** A store on the disk. Nothing here damages it, so whatever it complains of fails the test. */
export async function place(segmentBytes: number): Promise<StorePlace> {
  const dirs = [await newDir()];
  const damages: Damage[] = [];
  const dead: Promise<void>[] = [];
  return {
    async open() {
      const log = await openStore(dirs[dirs.length - 1]!, segmentBytes, damages);
      if (damages.length > 0) throw new Error(`Damage where there is none: ${JSON.stringify(damages)}`);
      return log;
    },
    /** The files as a kill at this moment leaves them. The old process goes on in the old directory, unheard. */
    async crash(log: Log) {
      const next = await newDir();
      copyNow(dirs[dirs.length - 1]!, next);
      dirs.push(next);
      dead.push(log.close());
    },
    async remove() {
      await Promise.all(dead);
      for (const dir of dirs) await rm(dir, { recursive: true });
    },
  };
}

/** In one turn, so that the store does nothing meanwhile; only what its threads have begun may still come about. */
function copyNow(from: string, to: string): void {
  for (let attempt = 1; ; attempt++) {
    try {
      cpSync(from, to, { recursive: true, force: true });
      return;
    } catch (error) {
      // A journal segment went away while its name was in hand.
      if (attempt === 10) throw error;
    }
  }
}
