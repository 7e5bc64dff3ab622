import { readdirSync, readFileSync } from 'node:fs';

/** The kernel counts in ticks of 10 ms (USER_HZ, the same on all of Linux). */
const TICK_S = 0.01;

/** A process and what it started, as far as it runs. */
function family(pid: number): number[] {
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
    return [pid, ...children.flatMap(family)];
  } catch {
    return [];
  }
}

/** Seconds of processor that a process and its children have used: utime and stime of proc(5), all threads. */
export function cpuSeconds(pid: number): number {
  const ticks = family(pid).map((it) => {
    const stat = read(`/proc/${it}/stat`);
    // The name in brackets may hold spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  });
  return sum(ticks) * TICK_S;
}

/** Bytes of memory that a process and its children hold (VmRSS). Pages that they share count once for each. */
export function residentBytes(pid: number): number {
  return sum(family(pid).map((it) => Number(/^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${it}/status`))?.[1] ?? 0) * 1024));
}

/** Seconds in which a core did anything, since boot. Time that the hypervisor took away counts as busy. */
export function coreSeconds(core: number): number {
  const line =
    read('/proc/stat')
      .split('\n')
      .find((it) => it.startsWith(`cpu${core} `)) ?? '';
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line.split(' ').slice(1).map(Number);
  return (user + nice + system + irq + softirq + steal) * TICK_S;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, it) => total + it, 0);
