/** Folds a recorded stream so many times in a process of its own, and prints how long each took and how much processor time. */
import { readFileSync } from 'node:fs';
import { type Folded, fold } from './fold.ts';

const [file = '', times = '1'] = process.argv.slice(2);
const bytes = new Uint8Array(readFileSync(file));
const folds: (Folded & { cpuMs: number })[] = [];
for (let i = 0; i < Number(times); i++) {
  const before = process.cpuUsage();
  const folded = await fold(bytes);
  const { user, system } = process.cpuUsage(before);
  folds.push({ ...folded, cpuMs: (user + system) / 1000 });
}
console.log(JSON.stringify({ folds }));
