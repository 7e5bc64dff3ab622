import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What V8 writes with --cpu-prof, as far as it is read here. */
interface Profile {
  readonly nodes: readonly { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  readonly samples: readonly number[];
  /** Microseconds since the sample before; the first since `startTime`, which is of CLOCK_MONOTONIC on Linux. */
  readonly timeDeltas: readonly number[];
  readonly startTime: number;
}

/** Self time within a window, in microseconds, by place. */
export interface SelfTime {
  /** `hub/view.js`, `node:net`, `write to sockets`, `garbage collection` … */
  readonly place: string;
  readonly name: string;
  readonly us: number;
}

/** The only profile in a folder, cut to a window in microseconds of CLOCK_MONOTONIC. Idle time is left out. */
export function readProfile(folder: string, fromUs: number, toUs: number): readonly SelfTime[] {
  const file = readdirSync(folder).find((it) => it.endsWith('.cpuprofile'));
  if (file === undefined) throw new Error('The server wrote no profile.');
  const { nodes, samples, timeDeltas, startTime } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Profile;
  const frames = new Map(nodes.map((it) => [it.id, it.callFrame]));
  const found = new Map<string, SelfTime>();
  let at = startTime;
  samples.forEach((id, i) => {
    at += timeDeltas[i] ?? 0;
    const frame = frames.get(id);
    if (!frame || at < fromUs || at > toUs || frame.functionName === '(idle)') return;
    const place = placeOf(frame.url, frame.functionName);
    const name = `${frame.functionName || '(anonymous)'}${frame.url ? `:${frame.lineNumber + 1}` : ''}`;
    const key = `${place} ${name}`;
    // A sample stands for the time until the next one.
    found.set(key, { place, name, us: (found.get(key)?.us ?? 0) + (timeDeltas[i + 1] ?? 0) });
  });
  return [...found.values()].sort((a, b) => b.us - a.us);
}

/** Functions of libuv's handles that V8 shows without a file: the time in them is mostly the kernel's. */
const SOCKET_WRITES = /^(writev|writeBuffer|write(Utf8|Latin1|Ascii)String)$/;

function placeOf(url: string, name: string): string {
  if (name === '(garbage collector)') return 'garbage collection';
  // V8's name for everything outside JavaScript: the event loop, reading sockets, native callbacks.
  if (name === '(program)') return 'native: event loop, reads';
  if (SOCKET_WRITES.test(name) && !url) return 'native: writes to sockets';
  const dist = url.lastIndexOf('/dist/');
  const modules = url.lastIndexOf('/node_modules/');
  if (modules >= 0)
    return url
      .slice(modules + '/node_modules/'.length)
      .split('/')
      .slice(0, url.includes('/@') ? 2 : 1)
      .join('/');
  if (dist >= 0) return `telltale ${url.slice(dist + '/dist/'.length)}`;
  return url || 'native: other';
}

/** Self time summed up by place, the largest first. */
export function byPlace(times: readonly SelfTime[]): readonly { place: string; us: number }[] {
  const sums = new Map<string, number>();
  for (const { place, us } of times) sums.set(place, (sums.get(place) ?? 0) + us);
  return [...sums].map(([place, us]) => ({ place, us })).sort((a, b) => b.us - a.us);
}
