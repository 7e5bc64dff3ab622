/**
 * Calls what emits, once for everything that came together. For Angular `(emit) => zone.run(emit)`, so that one batch is
 * one change detection. Whatever it does, it keeps the order.
 */
export type Schedule = (emit: () => void) => void;

export const atOnce: Schedule = (emit) => emit();
