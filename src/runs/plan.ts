import type { PlanStep } from '../protocol/index.ts';

interface PlannedStep extends PlanStep {
  readonly index: number;
  begun: boolean;
}

/** The steps a run has planned, and which of them were begun. */
export class Plan {
  #steps: PlannedStep[] = [];

  /** A plan of its own takes the place of an earlier one; the same plan, longer, keeps what was begun. */
  set(steps: readonly PlanStep[]): void {
    const begun = new Set(this.#steps.filter((it) => it.begun).map((it) => it.id));
    this.#steps = steps.map(({ id, name }, index) => ({ id, name, index, begun: begun.has(id) }));
  }

  /**
   * The planned step of this id, or the first of this name, that was not begun yet; begun now. A step that is done again
   * is not the planned one: `undefined`.
   */
  begin(step: string | PlanStep): (PlanStep & { readonly index: number }) | undefined {
    const free = this.#steps.filter((it) => !it.begun);
    const found =
      typeof step === 'string'
        ? (free.find((it) => it.id === step) ?? free.find((it) => it.name === step))
        : free.find((it) => it.id === step.id);
    if (!found) return undefined;
    found.begun = true;
    return { id: found.id, name: found.name, index: found.index };
  }
}
