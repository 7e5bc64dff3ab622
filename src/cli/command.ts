import { readFileSync } from 'node:fs';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { TelltaleError } from '../protocol/index.ts';

/** One word of the command line. */
export interface Command {
  readonly help: string;
  /** Resolves with the exit code. @throws {TelltaleError} `invalid_option` for arguments that make no sense (exit code 2). */
  run(args: readonly string[]): Promise<number>;
}

/** Exit codes: done, failed, used wrongly, and stopped by SIGINT (Ctrl-C) or SIGTERM (as shells count: 128 + signal). */
export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130, terminated: 143 } as const;

/** Reads the arguments of a command. @throws {TelltaleError} `invalid_option`, in the words of Node. */
export function parse<T extends NonNullable<ParseArgsConfig['options']>>(args: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new TelltaleError('invalid_option', (error as Error).message);
  }
}

export const usageError = (detail: string): TelltaleError => new TelltaleError('invalid_option', detail);

/** How this program was called, so that what it says to type can be typed. */
export function calledAs(): string {
  // Set by npm in the scripts of a clone: `npm start`, `npm run telltale`.
  const script = process.env.npm_lifecycle_event;
  return script === 'start' || script === 'telltale' ? 'npm run telltale --' : 'telltale';
}

export function version(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return version;
}

/** The server that `run` and `tail` talk to. */
export const DEFAULT_URL = 'http://127.0.0.1:4747';
