import type { Part } from './events.ts';

/** Told of a stream as it passes. */
export interface Listener {
  part(part: Part): void;
  fail(error: unknown): void;
}

/**
 * The same result with a stream that `listener` hears; as it is where it holds none, or one that is read already. No
 * chunk is read before it is asked for, and none waits for the listener.
 */
export function tapped<T>(result: T, listener: Listener): T {
  const { stream } = Object(result) as { stream?: unknown };
  if (!(stream instanceof ReadableStream) || stream.locked) return result;
  const reader: ReadableStreamDefaultReader<Part> = stream.getReader();
  const source: UnderlyingDefaultSource<Part> = {
    async pull(controller) {
      try {
        const step = await reader.read();
        if (step.done) return controller.close();
        listener.part(step.value);
        controller.enqueue(step.value);
      } catch (error) {
        listener.fail(error);
        controller.error(error);
      }
    },
    cancel: (reason) => reader.cancel(reason),
  };
  // Nothing is read ahead: back-pressure reaches the provider as before.
  return { ...result, stream: new ReadableStream(source, { highWaterMark: 0 }) };
}
