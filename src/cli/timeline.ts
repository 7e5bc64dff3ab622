import { deltasOf, emptySnapshot, isKnown, type RunSnapshot, reduce, type TelltaleEvent } from '../protocol/index.ts';
import { describe } from './describe.ts';
import type { Output, Span } from './screen.ts';
import { speak } from './speech.ts';
import { summarise } from './summary.ts';

/**
 * What a log looks like as it passes by: each event becomes the lines that it adds. A fold like every other reader of the
 * log, so that a run looks the same live, replayed and after a reconnect. Runs of one thread may be interleaved.
 */
export class Timeline {
  readonly #runs = new Map<string, RunSnapshot>();

  /** A run's state so far. */
  snapshot(runId: string): RunSnapshot | undefined {
    return this.#runs.get(runId);
  }

  add(event: TelltaleEvent): readonly Output[] {
    const before = this.#runs.get(event.runId) ?? emptySnapshot(event.runId, event.threadId);
    const after = reduce(before, event);
    if (after === before) return [];
    this.#runs.set(event.runId, after);
    // Where runs share a thread, each line says whose it is.
    const gutter: Span[] = this.#runs.size > 1 ? [[`${event.runId.slice(0, 8)} `, 'dim']] : [];
    const line = (spans: readonly Span[]): Output => ({ kind: 'line', spans: [...gutter, ...spans] });
    const scene = { before, after };
    return deltasOf(event).flatMap((it) => {
      if (!isKnown(it)) return [line(['  ', [`${it.type} `, 'dim'], JSON.stringify(it.data)])];
      return [
        ...describe(it, scene).map(line),
        ...speak(it, scene).map((said) =>
          said.kind === 'line' ? said : { ...said, before: [...gutter, ...said.before] },
        ),
        ...summarise(it, scene).map(line),
      ];
    });
  }

  /** What was read is void: nothing is built upon it. */
  reset(): void {
    this.#runs.clear();
  }
}
