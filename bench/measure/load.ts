import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child, LOAD_CORE } from './child.ts';

export interface Times {
  readonly count: number;
  /** All in microseconds. */
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What viewers saw since they were last reset; gaps, repeats and what follows them count from the beginning. */
export interface Seen {
  readonly elapsedUs: number;
  readonly events: number;
  readonly frames: number;
  readonly comments: number;
  readonly bytes: number;
  readonly gaps: number;
  readonly repeats: number;
  readonly refused: number;
  readonly closed: number;
  /** The last number of the viewer that is furthest behind, and of the one that is furthest ahead. */
  readonly lowest: number;
  readonly highest: number;
  readonly latency: Times;
  readonly firstByte: Times;
  readonly finish: Times;
}

export interface Published {
  readonly sent: number;
  /** Events whose storage was acknowledged; only Telltale does. */
  readonly acknowledged: number;
  readonly elapsedUs: number;
}

export interface Traffic {
  readonly port: number;
  readonly mode: 'ndjson' | 'post';
  readonly paths: readonly string[];
  /** Events per second, of all paths together. */
  readonly rate: number;
  readonly events: number;
  /** JSON around the text of an event. */
  readonly before: string;
  readonly after: string;
}

/** Connections of the "post" mode: enough that none waits while the server answers within some milliseconds. */
const POST_CONNECTIONS = 256;
/** Of the text of one event, with its marker. */
const TEXT_BYTES = 220;
const MARKER_BYTES = 27;

/** The compiled load programs (bench/load), on a core of their own. */
export class Load {
  readonly folder = mkdtempSync(join(tmpdir(), 'telltale-bench-'));
  /** What the programs say to a server that wants to know who asks. */
  token: string | undefined;

  constructor() {
    for (const name of ['watch', 'publish', 'floor']) {
      const source = join(import.meta.dirname, '..', 'load', `${name}.c`);
      execFileSync('cc', ['-std=gnu17', '-O2', '-Wall', '-o', this.program(name), source], { stdio: 'inherit' });
    }
  }

  program(name: string): string {
    return join(this.folder, name);
  }

  async watch(port: number, connections: number, paths: readonly string[], until = 0): Promise<Viewers> {
    const args = [port, connections, this.#list('watched', paths), until].map(String);
    const child = new Child(this.program('watch'), args, { core: LOAD_CORE, env: this.#env });
    const ready = await isReady(child);
    if (ready === connections) return new Viewers(child);
    await child.stop();
    throw new Error(`Only ${ready} of ${connections} viewers were let in.`);
  }

  async publish({ port, mode, paths, rate, events, before, after }: Traffic): Promise<Producers> {
    const list = this.#list('published', paths);
    const numbers = [POST_CONNECTIONS, list, rate, events];
    const args = [port, mode, ...numbers, before, after, TEXT_BYTES - MARKER_BYTES].map(String);
    const child = new Child(this.program('publish'), args, { core: LOAD_CORE, env: this.#env });
    await isReady(child);
    return new Producers(child);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  get #env(): Record<string, string> {
    return this.token === undefined ? {} : { BENCH_TOKEN: this.token };
  }

  #list(name: string, lines: readonly string[]): string {
    const file = join(this.folder, name);
    writeFileSync(file, `${lines.join('\n')}\n`);
    return file;
  }
}

/** How many connections were let in. A program that does not get that far is ended. */
async function isReady(child: Child): Promise<number> {
  try {
    return (JSON.parse(await child.line(/"ready"/)) as { ready: number }).ready;
  } catch (error) {
    await child.stop();
    throw error;
  }
}

export class Viewers {
  readonly #child: Child;

  constructor(child: Child) {
    this.#child = child;
  }

  get pid(): number {
    return this.#child.pid;
  }

  reset(): void {
    this.#child.tell('reset');
  }

  async report(): Promise<Seen> {
    this.#child.tell('report');
    return JSON.parse(await this.#child.line(/"elapsedUs"/)) as Seen;
  }

  /** Resolves when all have the number that they were to read until. */
  async finished(timeoutMs: number): Promise<void> {
    await this.#child.line(/"finished"/, timeoutMs);
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }
}

export class Producers {
  readonly #child: Child;

  constructor(child: Child) {
    this.#child = child;
  }

  get pid(): number {
    return this.#child.pid;
  }

  go(): void {
    this.#child.tell('go');
  }

  /** Resolves when everything is sent and answered; rejects where the server refused any of it. */
  async done(timeoutMs: number): Promise<Published> {
    const line = await this.#child.line(/"sent"/, timeoutMs);
    const { refused, refusal, ...published } = JSON.parse(line) as Published & { refused: number; refusal: string };
    if (refused > 0) throw new Error(`${refused} publishes were refused. The first: ${refusal}`);
    return published;
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }
}
