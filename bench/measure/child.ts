import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** The server has the first core to itself, everything that loads it the second. */
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

export interface ChildOptions {
  readonly core: number;
  readonly cwd?: string;
}

/** A line that did not come in its time, from a program that still runs. */
export class TooSlow extends Error {}

/** A program on a core of its own, whose lines can be waited for. */
export class Child {
  readonly pid: number;
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #lines: string[] = [];
  #errors = '';
  #changed = Promise.withResolvers<void>();

  constructor(command: string, args: readonly string[], { core, cwd }: ChildOptions) {
    this.#process = spawn('taskset', ['-c', String(core), command, ...args], { cwd });
    // taskset becomes the program: it is the same process.
    this.pid = this.#process.pid!;
    this.#exited = once(this.#process, 'close').then(() => this.#change());
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
  async line(pattern: RegExp, timeoutMs = 30_000): Promise<string> {
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
    if (this.running) this.#process.kill(signal);
    const kill = setTimeout(() => this.#process.kill('SIGKILL'), 3_000);
    await this.#exited;
    clearTimeout(kill);
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
