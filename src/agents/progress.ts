import type { PlanStep, RunWriter } from '../protocol/index.ts';

/** A plan whose steps follow one another: going into one completes the one before it. */
export class Progress {
  readonly #run: RunWriter;
  readonly #steps: readonly PlanStep[];
  #at = -1;
  #leave: PromiseWithResolvers<void> | undefined;
  #left: Promise<void> | undefined;

  private constructor(run: RunWriter, steps: readonly PlanStep[]) {
    this.#run = run;
    this.#steps = steps;
  }

  static async plan(run: RunWriter, goal: string, steps: readonly string[]): Promise<Progress> {
    return new Progress(run, await run.plan(goal, steps));
  }

  /** Goes into a step by its place in the plan; nothing where it is there already, or beyond it. */
  async enter(index: number): Promise<void> {
    if (index <= this.#at) return;
    await this.end();
    this.#at = index;
    const leave = Promise.withResolvers<void>();
    this.#leave = leave;
    this.#left = this.#run.step(this.#steps[index]!, () => leave.promise);
  }

  /** Completes the step that is open. Resolves when that was told. */
  async end(): Promise<void> {
    this.#leave?.resolve();
    await this.#left;
  }

  /** The step that is open has failed. Resolves when that was told. */
  async fail(error: unknown): Promise<void> {
    this.#leave?.reject(error);
    await this.#left?.catch(() => undefined);
  }
}
