import type { RunSnapshot, RunStatus } from '../protocol/index.ts';
import type { ConnectionState } from './connection-state.ts';
import type { LogContent } from './log-content.ts';
import { LogStore, type ReadPage } from './log-store.ts';
import { emptyView, type LogView } from './log-view.ts';
import type { CancelOutcome, Requests } from './requests.ts';
import type { Sink, Source } from './source.ts';
import type { StoreOptions } from './store.ts';

/** What a run's store shows. Two axes, always: `status` is the run's, `connection` ours. */
export interface RunView extends LogView<RunSnapshot> {
  /** `pending`: nothing is known of it yet. */
  readonly status: RunStatus | 'pending';
}

/** One run, live: `client.run(runId)`. */
export class Run extends LogStore<RunSnapshot, RunView> {
  readonly runId: string;
  readonly #cancel: Requests['cancel'];

  constructor(
    runId: string,
    cancel: Requests['cancel'],
    initial: RunSnapshot | undefined,
    load: () => Promise<LogContent<RunSnapshot, RunView>>,
    connect: (sink: Sink) => Source,
    page: ReadPage,
    options: StoreOptions,
  ) {
    const before = (state: ConnectionState): RunView => ({
      ...emptyView(state, initial, initial?.seq),
      status: initial?.status ?? 'pending',
    });
    super(before, load, connect, page, options);
    this.runId = runId;
    this.#cancel = cancel;
  }

  /**
   * Asks for the run to be cancelled: an event in its log, which its executor follows. Leaving a run never cancels it.
   *
   * @throws {TelltaleError}
   */
  cancel(about?: { readonly reason?: string; readonly by?: string }): Promise<CancelOutcome> {
    return this.#cancel(this.runId, about);
  }
}
