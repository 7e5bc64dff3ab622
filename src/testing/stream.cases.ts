/**
 * What every host has to do with a stream, as cases for any test runner: PROTOCOL.md sections 5 to 7 as a client sees
 * them, through whatever server, framework and sink stand between it and the log.
 */
import type { Socket } from 'node:net';
import { carryCases } from './stream/carry.cases.ts';
import { connectionCases } from './stream/connection.cases.ts';
import { openingCases } from './stream/opening.cases.ts';

/** How the cases get at a host and at your test runner. */
export interface StreamHarness {
  /** Your runner's `test` or `it`. */
  readonly test: (name: string, body: () => Promise<void>) => void;
  /** Told each case that this host does not run, and why. Show it: `(name, why) => it.skip(`${name} (${why})`)`. */
  readonly skip: (name: string, why: string) => void;
  /** The host, which is open while the cases run. They run one after the other, in runs of their own. */
  readonly host: () => StreamHost;
  /** What this host does not have, and why. */
  readonly lacks?: Partial<Record<StreamNeed, string>>;
}

/**
 * What some cases need: `connections` to a server, and `backpressure`, which is a host that stops asking for more when
 * its client does not read.
 */
export type StreamNeed = 'connections' | 'backpressure';

export interface StreamHost {
  /** Where Telltale is mounted, without a slash at the end, for example `http://127.0.0.1:4747/telltale`. */
  readonly url: string;
  /** The platform's `fetch`, or the host's own with no server in between. */
  readonly fetch: (request: Request) => Promise<Response>;
  /** Opens a connection on which HTTP/1.1 is spoken, where plain TCP to `url` is not one: TLS. */
  readonly connect?: () => Socket;
  /**
   * How many streams are open. The cases wait for heartbeats and for a stalled reader to be cut: choose less than a
   * second for the one, and for the other.
   */
  viewers(): number | Promise<number>;
}

export interface StreamCase {
  readonly name: string;
  readonly needs?: readonly StreamNeed[];
  readonly run: (host: StreamHost) => Promise<void>;
}

/** Every case, for runners that want the list. */
export const STREAM_CASES: readonly StreamCase[] = [...openingCases, ...carryCases, ...connectionCases];

/**
 * Registers every case with your runner.
 *
 * @example
 * streamCases({ test: it, skip: (name, why) => it.skip(`${name} (${why})`), host: () => host });
 */
export function streamCases({ test, skip, host, lacks = {} }: StreamHarness): void {
  for (const { name, needs = [], run } of STREAM_CASES) {
    const why = needs.map((need) => lacks[need]).find((reason) => reason !== undefined);
    if (why === undefined) test(name, () => run(host()));
    else skip(name, why);
  }
}
