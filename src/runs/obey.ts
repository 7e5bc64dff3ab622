import type { EventData } from '../protocol/index.ts';
import type { Gate } from './gate.ts';
import type { Said } from './run-watch.ts';

/** Where the commands of a run lead. Cancelling wins over everything: it gets through to whoever is held. */
export interface Obeying {
  readonly gate: Gate;
  cancel(data: EventData<'run.cancelled'>): void;
}

/** Follows the commands of a run in the order of the log, each once: a watch may tell of one again. */
export function obey({ gate, cancel }: Obeying): (said: Said) => void {
  const heard = new Set<string>();
  return ({ type, data }) => {
    if (type !== 'control.requested' || heard.has(data.commandId)) return;
    const { command, commandId, by, reason } = data;
    heard.add(commandId);
    const asked = { commandId, ...(by !== undefined && { by }), ...(reason !== undefined && { reason }) };
    if (command === 'cancel') cancel(asked);
    else gate[command](asked);
  };
}
