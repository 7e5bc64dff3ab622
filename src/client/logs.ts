/** What shows a log, loaded while the server answers the first request: the fold, and the events that are kept. */
import type { RunSnapshot } from '../protocol/index.ts';
import { RunFold, ThreadFold, type ThreadSnapshot } from './fold.ts';
import { LogContent } from './log-content.ts';
import type { LogView } from './log-view.ts';
import type { RunView } from './run.ts';

/** @param size how many events the view holds. */
export const runLog = (runId: string, size: number, initial?: RunSnapshot): LogContent<RunSnapshot, RunView> =>
  new LogContent(
    new RunFold(runId, initial),
    (view) => ({ ...view, status: view.data?.status ?? 'pending' }),
    size,
    initial?.seq,
  );

export const threadLog = (threadId: string, size: number): LogContent<ThreadSnapshot, LogView<ThreadSnapshot>> =>
  new LogContent(new ThreadFold(threadId), (view) => view, size);
