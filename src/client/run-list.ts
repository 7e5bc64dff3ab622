import type { ConnectionState } from './connection-state.ts';
import type { ListedRun } from './requests.ts';
import type { Followed } from './source.ts';
import { type ConnectionView, type Content, connectionView } from './store.ts';

/** The runs that match a filter, as they are now. */
export interface RunListView extends ConnectionView {
  /** Newest first; a run that did not change stays the same object. While the list comes anew, the one before it stays. */
  readonly data: readonly ListedRun[] | undefined;
}

/** A live list: each connection brings it anew, then what changes. */
export class RunListContent implements Content<RunListView> {
  #runs = new Map<string, ListedRun>();
  #data: readonly ListedRun[] | undefined;
  #isComplete = false;
  #hasChanged = false;

  take(item: Followed): void {
    switch (item.kind) {
      case 'connected':
        this.#runs = new Map();
        this.#isComplete = false;
        return;
      case 'caught-up':
        this.#isComplete = true;
        this.#hasChanged = true;
        return;
      case 'listed':
        this.#runs.set(item.run.runId, item.run);
        this.#hasChanged = true;
        return;
      case 'left':
        this.#runs.delete(item.runId);
        this.#hasChanged = true;
    }
  }

  show(state: ConnectionState): RunListView {
    if (this.#isComplete && this.#hasChanged) {
      this.#data = [...this.#runs.values()].sort(newestFirst);
      this.#hasChanged = false;
    }
    return { ...connectionView(state), data: this.#data };
  }
}

/** As the server lists them: by `createdAt`, then by `runId`. */
function newestFirst(a: ListedRun, b: ListedRun): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? 1 : -1;
  return a.runId < b.runId ? 1 : -1;
}
