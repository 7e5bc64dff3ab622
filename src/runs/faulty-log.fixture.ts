import type { Ack, AppendOptions, Log } from '../log/index.ts';
import { type EncodedEvent, type ErrorCode, TelltaleError } from '../protocol/index.ts';

/** What happens to one append: nothing wrong, refused for now, or stored with the answer lost. */
export type Fault = 'none' | 'refused' | 'answer lost';

/** A log whose appends go wrong as `fault` says, with `code`; everything else is the real one's. */
export function faultyLog(
  log: Log,
  fault: (options: AppendOptions) => Fault | Promise<Fault>,
  code: ErrorCode = 'log_unavailable',
): Log {
  const away = () => new TelltaleError(code, 'The log is away (injected)');
  return {
    durability: log.durability,
    runs: log.runs,
    leases: log.leases,
    retention: log.retention,
    read: (...args) => log.read(...args),
    follow: (...args) => log.follow(...args),
    head: (...args) => log.head(...args),
    close: () => log.close(),
    async append(threadId: string, batch: readonly EncodedEvent[], options: AppendOptions): Promise<Ack> {
      const wrong = await fault(options);
      if (wrong === 'refused') throw away();
      const ack = await log.append(threadId, batch, options);
      if (wrong === 'answer lost') throw away();
      return ack;
    },
  };
}
