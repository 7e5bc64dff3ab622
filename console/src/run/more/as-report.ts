import type { Client } from 'telltale/client';
import { formatCursor, type RunSnapshot } from 'telltale/protocol';

const LAST_EVENTS = 20;
/** Values below such names may be secret: a report is sent to others. */
const SECRET = /pass|secret|token|authorization|cookie|credential|api.?key/i;

/** What somebody needs to look into a fault: which run, where it stands, its last events; what may be secret is left out. */
export async function asReport(client: Client, run: RunSnapshot, event: number | undefined): Promise<string> {
  const { runId, threadId, epoch, seq, agent, status, error } = run;
  const after = formatCursor(epoch, Math.max(0, seq - LAST_EVENTS));
  const { events } = await client.events(runId, { after, limit: LAST_EVENTS });
  const about = {
    console: import.meta.env.TELLTALE_VERSION,
    browser: navigator.userAgent,
    ...{ runId, threadId, agent, status, seq, epoch, error, lookedAt: event },
  };
  return [
    JSON.stringify(about, null, 2),
    `The last ${events.length} events. Values whose names look secret are left out; read the others before you send this.`,
    ...events.map((it) => JSON.stringify(it, blank)),
  ].join('\n');
}

const blank = (name: string, value: unknown): unknown =>
  SECRET.test(name) && typeof value !== 'number' ? '(left out)' : value;
