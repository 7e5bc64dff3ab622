import { type RunWriter, TelltaleError } from '../../protocol/index.ts';

const failure = (code: 'tool_failed' | 'agent_failed', message: string): TelltaleError =>
  new TelltaleError(code, message);

/** What goes wrong in a run because somebody says so to it (`run.inputs()`). */
export class Faults {
  /** Aborted when the run is stopped, or is to crash. */
  readonly signal: AbortSignal;
  readonly #ours = new WeakSet<object>();
  #due = 0;
  #failed = 0;

  constructor(run: RunWriter) {
    const crash = new AbortController();
    this.signal = AbortSignal.any([run.signal, crash.signal]);
    void this.#listen(run, crash);
  }

  /** How many calls of tools have failed for that. */
  get failed(): number {
    return this.#failed;
  }

  /** @throws {TelltaleError} `tool_failed`, once for each time that it was asked for. */
  failTool(): void {
    if (this.#due === 0) return;
    this.#due--;
    this.#failed++;
    const error = failure('tool_failed', 'This call was made to fail: somebody asked for it.');
    this.#ours.add(error);
    throw error;
  }

  isOurs(error: unknown): boolean {
    return typeof error === 'object' && error !== null && this.#ours.has(error);
  }

  async #listen(run: RunWriter, crash: AbortController): Promise<void> {
    for await (const { input } of run.inputs()) {
      const { break: what } = Object(input) as { readonly break?: unknown };
      if (what === 'tool') this.#due++;
      if (what === 'crash') crash.abort(failure('agent_failed', 'The agent was made to crash: somebody asked for it.'));
    }
  }
}
