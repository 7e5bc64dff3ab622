import type { Load, Traffic } from '../measure/load.ts';

/** Something that delivers events, as its users would set it up. */
export interface Contender {
  /** On the command line and in the tables. */
  readonly name: string;
  /** What it keeps of an event that nobody reads at the time. */
  readonly keeps: 'nothing' | 'memory' | 'disk';
  /** Starts it, empty, on the core of servers; `folder` is its own and removed afterwards. */
  start(load: Load, folder: string): Promise<Server>;
}

export interface ViewOptions {
  /** Where the contender merges the deltas of its history: whether it may. */
  readonly merge?: boolean;
}

/** A contender that runs. */
export interface Server {
  /** The process whose processor time and memory count, with all its children. */
  readonly pid: number;
  readonly port: number;
  /** Makes runs known where that is needed before anybody publishes or views. */
  open(runs: number): Promise<void>;
  viewPath(run: number, options?: ViewOptions): string;
  /** How events of a run reach it: the fastest of its public ways. */
  readonly intake: Pick<Traffic, 'mode'> & {
    path(run: number): string;
    /** Whether it tells how far lines are stored. Then every event must be. */
    readonly acknowledges?: boolean;
  };
  /** Ends it and starts it again on what it kept; the address may change. */
  restart?(): Promise<Server>;
  stop(): Promise<void>;
}

/** The port in the line with which a server says where it listens. */
export function portIn(line: string): number {
  const port = /127\.0\.0\.1:(\d+)/.exec(line)?.[1];
  if (port === undefined) throw new Error(`No port in ${JSON.stringify(line)}.`);
  return Number(port);
}
