import type { Log } from '../log/index.ts';
import type { EventData } from '../protocol/index.ts';

type Command = EventData<'control.requested'>;

/** What a run was asked for and has not done yet, as its events say. */
export async function openCommands(log: Log, runId: string): Promise<readonly Command[]> {
  const run = await log.runs.get(runId);
  if (!run?.commands) return [];
  const { threadId, commands } = run;
  return Promise.all(
    commands.map(async ({ commandId, command, seq }) => {
      const block = (await log.read(threadId, seq - 1, 1)).blocks[0];
      // Who asked, and why, may have been trimmed; what was asked was not.
      return block?.first === seq ? (block.event(seq).data as Command) : { command, commandId };
    }),
  );
}
