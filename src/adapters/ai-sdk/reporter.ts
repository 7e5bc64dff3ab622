import type { EventData, EventType, RunWriter } from '../../protocol/index.ts';
import { runAs } from '../current.ts';
import { failure } from './failure.ts';

/** What may be recorded: AI SDK's `recordInputs` and `recordOutputs`. */
export interface Recorded {
  readonly inputs: boolean;
  readonly outputs: boolean;
}

/** Tells the events of one agent invocation, or of the run itself, and of nobody else. */
export class Reporter {
  readonly writer: RunWriter;
  readonly recorded: Recorded;

  constructor(writer: RunWriter, recorded: Recorded = { inputs: true, outputs: true }) {
    this.writer = writer;
    this.recorded = recorded;
  }

  /** Members that are `undefined` are absent. */
  emit<T extends EventType>(type: T, data: { [K in keyof EventData<T>]?: unknown }): void {
    // As the writer itself: streams call their sources in the async context of whoever reads them.
    runAs(this.writer, () => this.writer.emit(type, data as EventData<T>));
  }

  /** Calls `hook`, whose failure is ours and must not become the agent's. */
  guard<R>(hook: () => R): R | undefined {
    try {
      return hook();
    } catch (thrown) {
      const { message } = failure(thrown, 'adapter_failed', true);
      this.emit('error.reported', { error: { code: 'adapter_failed', message: `telltale/ai-sdk: ${message}` } });
      return undefined;
    }
  }
}

/** Milliseconds since `began`, to the microsecond. */
export const elapsed = (began: number): number => Math.round((performance.now() - began) * 1000) / 1000;
