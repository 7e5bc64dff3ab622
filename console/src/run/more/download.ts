import type { Run } from 'telltale/client';
import { runFileHeader } from 'telltale/protocol';

/** How many events are written, of how many there are. */
export type Progress = (written: number) => void;

/**
 * The events of a run as `telltale export` writes them and `telltale import` takes them: a line that says what it is, then
 * one event per line. Page by page, so that the browser keeps the bytes and not this page's memory.
 *
 * @throws {TelltaleError} what the server says; the reason of `signal` when that is aborted.
 */
export async function eventsFile(run: Run, progress: Progress, signal: AbortSignal): Promise<Blob> {
  const pages: Blob[] = [];
  let written = 0;
  for (let cursor: string | undefined; ; ) {
    const page = await run.page(cursor);
    signal.throwIfAborted();
    const [first] = page.events;
    const lines: object[] = cursor === undefined && first ? [runFileHeader(run.runId, first.threadId)] : [];
    pages.push(new Blob([...lines, ...page.events].map((it) => `${JSON.stringify(it)}\n`)));
    written += page.events.length;
    progress(written);
    if (!page.more) return new Blob(pages, { type: 'application/x-ndjson' });
    cursor = page.cursor;
  }
}

/** Gives the reader a file. */
export function save(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
