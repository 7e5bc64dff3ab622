/** What a front end of another system does, with nothing that would mend what a server does: npm's EventSource. */
import { EventSource } from 'eventsource';

export interface Heard {
  readonly event: string;
  readonly id: string;
  readonly data: Record<string, unknown>;
}

/** An EventSource with a listener for each name, and what they heard. */
export class FrontEnd {
  readonly source: EventSource;
  readonly heard: Heard[] = [];
  /** Statuses of the answers, one for each connection that got as far. */
  readonly statuses: number[] = [];
  readonly closed: Promise<void>;

  constructor(url: string, names: readonly string[]) {
    this.source = new EventSource(url, {
      fetch: async (input, init) => {
        const answer = await fetch(input, init);
        this.statuses.push(answer.status);
        return answer;
      },
    });
    for (const name of new Set(['message', ...names])) {
      this.source.addEventListener(name, ({ type, data, lastEventId }) => {
        if (data !== undefined) this.heard.push({ event: type, id: lastEventId, data: parsed(data) });
      });
    }
    this.closed = new Promise((resolve) => {
      this.source.addEventListener('error', () => {
        if (this.source.readyState === this.source.CLOSED) resolve();
      });
    });
  }

  get names(): readonly string[] {
    return this.heard.map(({ event }) => event);
  }

  close(): void {
    this.source.close();
  }
}

/** One dialect speaks in lines of text. */
function parsed(data: string) {
  try {
    return JSON.parse(data);
  } catch {
    return data;
  }
}

/** A cut at another place for each of the first connections, the same for the same seed. */
export function cuts(
  seed: number,
  count: number,
): (connection: number) => { cutAfter?: number; cutBy?: 'reset' | 'fin' } {
  let state = seed >>> 0;
  return (connection) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    if (connection >= count) return {};
    return { cutAfter: 420 + (state % 1500), cutBy: state & 0x10000 ? 'fin' : 'reset' };
  };
}
