import type { RunSnapshot, RunStatus } from '../protocol/index.ts';
import { RunFold } from './fold.ts';
import type { CancelOutcome, Requests } from './requests.ts';
import type { Sink, Source } from './source.ts';
import { Store, type StoreOptions, type StoreView } from './store.ts';

/** What a run's store shows. Two axes, always: `status` is the run's, `connection` ours. */
export interface RunView extends StoreView<RunSnapshot> {
  /** `pending`: nothing is known of it yet. */
  readonly status: RunStatus | 'pending';
}

/** One run, live: `client.run(runId)`. */
export class Run extends Store<RunSnapshot, RunView> {
  readonly runId: string;
  readonly #requests: Requests;

  constructor(
    runId: string,
    requests: Requests,
    connect: (sink: Sink) => Source,
    options: StoreOptions,
    initial?: RunSnapshot,
  ) {
    super(new RunFold(runId, initial), connect, options, initial?.seq);
    this.runId = runId;
    this.#requests = requests;
  }

  /**
   * Asks for the run to be cancelled: an event in its log, which its executor follows. Leaving a run never cancels it.
   *
   * @throws {TelltaleError}
   */
  cancel(about?: { readonly reason?: string; readonly by?: string }): Promise<CancelOutcome> {
    return this.#requests.cancel(this.runId, about);
  }

  protected override describe(base: StoreView<RunSnapshot>): RunView {
    return { ...base, status: base.data?.status ?? 'pending' };
  }
}
