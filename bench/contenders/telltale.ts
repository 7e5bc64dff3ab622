import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Child, SERVER_CORE } from '../measure/child.ts';
import { type Contender, portIn, type Server } from './contender.ts';

/** What `npx telltale` runs: the built package, not its sources. */
const COMMAND = join(dirname(createRequire(import.meta.url).resolve('telltale/package.json')), 'dist/cli/main.js');
/** Requests that open runs, at once. */
const OPENING = 64;

/** How a server finds out who asks, and what to say to it. */
export interface Guard {
  readonly args: readonly string[];
  readonly token: string;
}

/** `telltale serve` as it is installed, with runs that are filled from outside. */
export function telltale(
  name: string,
  keeps: 'memory' | 'disk',
  flags: readonly string[] = [],
  guard?: Guard,
): Contender {
  return { name, keeps, start: (_load, folder) => startTelltale(keeps, folder, flags, guard) };
}

/** @param flags of Node. */
export async function startTelltale(
  keeps: 'memory' | 'disk',
  folder: string,
  flags: readonly string[] = [],
  guard?: Guard,
): Promise<Server> {
  const data = join(folder, 'data');
  const args = ['serve', '--port', '0', '--data', keeps === 'memory' ? 'memory:' : data, ...(guard?.args ?? [])];
  const child = new Child(process.execPath, [...flags, COMMAND, ...args], { core: SERVER_CORE, cwd: folder });
  const port = portIn(await child.line(/listens on/));
  return {
    pid: child.pid,
    port,
    open: (runs) => openRuns(port, runs, guard?.token),
    viewPath: (run, { merge = true } = {}) => `/v1/runs/r${run}/stream${merge ? '' : '?coalesce=off'}`,
    intake: { mode: 'ndjson', path: (run) => `/v1/runs/r${run}/events`, acknowledges: true },
    ...(keeps === 'disk' && {
      async restart() {
        await child.stop();
        return startTelltale(keeps, folder, flags, guard);
      },
    }),
    async stop() {
      await child.stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

async function openRuns(port: number, runs: number, token: string | undefined): Promise<void> {
  const open = async (run: number): Promise<void> => {
    const response = await fetch(`http://127.0.0.1:${port}/v1/runs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ agent: 'bench', mode: 'remote', runId: `r${run}` }),
    });
    if (response.status !== 201) throw new Error(`Run ${run} was not opened: ${await response.text()}`);
    await response.body?.cancel();
  };
  for (let from = 0; from < runs; from += OPENING) {
    await Promise.all(Array.from({ length: Math.min(OPENING, runs - from) }, (_, i) => open(from + i)));
  }
}
