import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, 'main.ts');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line as a process of its own. */
export interface Program {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves with the first match in what was printed; rejects when the program ended without one. */
  saw(pattern: RegExp, where?: 'stdout' | 'stderr'): Promise<RegExpExecArray>;
}

const running = new Set<Program>();

export function start(args: readonly string[], env: NodeJS.ProcessEnv = {}, command = process.execPath): Program {
  const child = spawn(command, command === process.execPath ? [MAIN, ...args] : args, {
    env: {
      ...process.env,
      // Each of them decides about colours (in CI Node takes every terminal for one without).
      CI: undefined,
      NO_COLOR: undefined,
      FORCE_COLOR: undefined,
      NODE_DISABLE_COLORS: undefined,
      TELLTALE_URL: undefined,
      PORT: undefined,
      // No test asks a model that costs somebody money.
      ANTHROPIC_API_KEY: undefined,
      OPENAI_API_KEY: undefined,
      OPENAI_BASE_URL: undefined,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = { stdout: '', stderr: '' };
  const listeners = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      printed[name] += text;
      for (const listener of listeners) listener();
    });
  }
  const ended = new Promise<Ended>((resolve) => child.once('close', (code) => resolve({ code, ...printed })));
  const program: Program = {
    child,
    ended,
    saw: (pattern, where = 'stdout') =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(printed[where]);
          if (!match) return;
          listeners.delete(look);
          resolve(match);
        };
        listeners.add(look);
        look();
        void ended.then(() => reject(new Error(`Ended without ${pattern}:\n${printed.stdout}\n${printed.stderr}`)));
      }),
  };
  running.add(program);
  void ended.then(() => running.delete(program));
  return program;
}

/** Runs it to its end. */
export const runOnce = (args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ended> => start(args, env).ended;

/** The same in a pseudo-terminal; what it prints there is its stdout. */
export function runInTerminal(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const quoted = [process.execPath, MAIN, ...args].map((it) => `'${it.replaceAll("'", `'\\''`)}'`).join(' ');
  return start(['-qec', `stty cols 100; ${quoted}`, '/dev/null'], { TERM: 'xterm-256color', ...env }, 'script').ended;
}

export async function startServer(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ program: Program; url: string; port: string }> {
  const program = start(['serve', ...args], env);
  const [, url, port] = await program.saw(/listens on (http:\/\/[^ ]*:(\d+))\n[\s\S]*Ctrl-C stops/);
  return { program, url: url!, port: port! };
}

/** Ends what a test left running. */
export async function endAll(): Promise<void> {
  for (const { child } of running) child.kill('SIGKILL');
  await Promise.all([...running].map((it) => it.ended));
}
