import { execFileSync } from 'node:child_process';

/** Why no file system can be mounted here; `undefined` where it can. */
export function noMount(tool = 'mount'): string | undefined {
  if (process.getuid?.() !== 0) return 'mounting needs root';
  try {
    execFileSync(tool, ['-V'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return `there is no ${tool}`;
  }
}

export const mount = (...args: string[]): void => void execFileSync('mount', args, { stdio: 'pipe' });
/** Lazily: what a test that failed left open does not keep it. */
export const unmount = (dir: string): void => void execFileSync('umount', ['--lazy', dir], { stdio: 'pipe' });
