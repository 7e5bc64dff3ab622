import { TelltaleError } from '../protocol/index.ts';

/**
 * Decides whether a run may begin in a thread; `new`: there is none of that id. Throws where it may not.
 */
export type Admit = (threadId: string, runId: string) => Promise<'new' | 'known'>;

/** First one wins, in each thread: whose run begins it is decided in the append, however many try at once. */
const BEGIN = 'begin';

/** Opens a run where it is admitted. `open` gives its key to the append; a thread that began meanwhile is decided anew. */
export async function openAdmitted<T>(
  admit: Admit | undefined,
  { threadId, runId }: { readonly threadId: string; readonly runId: string },
  open: (once?: string) => Promise<T>,
): Promise<T> {
  if ((await admit?.(threadId, runId)) !== 'new') return open();
  try {
    return await open(BEGIN);
  } catch (error) {
    if (TelltaleError.from(error).code !== 'already_decided') throw error;
  }
  await admit?.(threadId, runId);
  return open();
}
