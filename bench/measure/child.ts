import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** The server has the first core to itself, everything that loads it the second. */
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

/** A program has so long to say that it is ready, and to end when it is told to. */
const READY_MS = 60_000;
const STOP_MS = 5_000;

export interface ChildOptions {
  readonly core: number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A line that did not come in its time, from a program that still runs. */
export class TooSlow extends Error {}

const running = new Set<Child>();
// Nobody is left behind by a benchmark that is interrupted.
process.once('exit', () => {
  for (const child of running) child.kill();
});

/** A program on a core of its own, whose lines can be waited for. */
export class Child {
  readonly pid: number;
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #lines: string[] = [];
  #errors = '';
  #stopping = false;
  #changed = Promise.withResolvers<void>();

  constructor(command: string, args: readonly string[], { core, cwd, env }: ChildOptions) {
    this.#process = spawn('taskset', ['-c', String(core), command, ...args], { cwd, env: { ...process.env, ...env } });
    // taskset becomes the program: it is the same process.
    this.pid = this.#process.pid!;
    running.add(this);
    this.#exited = once(this.#process, 'close').then(([code, signal]) => {
      running.delete(this);
      this.#change();
      // Whoever talks to it only sees its connections break.
      if (!this.#stopping && code !== 0)
        console.error(`${command} ended by itself (${code ?? signal}). ${this.#errors}`);
    });
    createInterface(this.#process.stdout!).on('line', (line) => {
      this.#lines.push(line);
      this.#change();
    });
    this.#process.stderr!.on('data', (text) => {
      this.#errors = `${this.#errors}${text}`.slice(-4_000);
    });
  }

  get running(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** The next line that matches; those before it are passed over. Rejects where the program ends or takes too long. */
  async line(pattern: RegExp, timeoutMs = READY_MS): Promise<string> {
    const timeout = AbortSignal.timeout(timeoutMs);
    timeout.onabort = () => this.#change();
    for (;;) {
      for (let line = this.#lines.shift(); line !== undefined; line = this.#lines.shift()) {
        if (pattern.test(line)) return line;
      }
      if (!this.running) throw new Error(`${this.#process.spawnargs.join(' ')} ended. ${this.#errors}`);
      if (timeout.aborted) throw new TooSlow(`${pattern} did not come in ${timeoutMs} ms. ${this.#errors}`);
      await this.#changed.promise;
    }
  }

  tell(line: string): void {
    this.#process.stdin!.write(`${line}\n`);
  }

  /** Ends it; one that does not listen to its signal is killed. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#stopping = true;
    if (this.running) this.#process.kill(signal);
    const kill = setTimeout(() => this.kill(), STOP_MS);
    await this.#exited;
    clearTimeout(kill);
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
