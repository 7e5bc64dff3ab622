import { TelltaleError } from '../protocol/index.ts';
import { type ConnectionState, rests } from './connection-state.ts';
import type { Carrier } from './frames.ts';
import { carrierOf, Stream, type Way } from './stream.ts';
import type { LeaderMessage, TabMessage } from './tab-message.ts';
import type { Transport } from './transport.ts';

/** A tab that was not heard of for so long is gone: the timers of a hidden one may go off once a minute only. */
const GONE_MS = 150_000;

interface Relay {
  readonly stream: Stream;
  /** When each of those who follow it was heard of last, in milliseconds since 1970. */
  readonly members: Map<string, number>;
  isOn: boolean;
  /** It waits before it tries to connect again. */
  isWaiting: boolean;
}

export interface RelaysOptions extends Transport {
  /** The server: streams of nobody else are opened. */
  readonly base: URL;
  readonly way: Way;
  /**
   * @param members who alone wants to know; all tabs by default.
   * @returns what resolves when those in this tab have taken it.
   */
  readonly tell: (message: LeaderMessage, members?: Iterable<string>) => unknown;
}

/** The streams that the leading tab opens for all tabs. What comes is told as it came: each tab folds for itself. */
export class Relays {
  readonly #options: RelaysOptions;
  readonly #relays = new Map<string, Relay>();

  constructor(options: RelaysOptions) {
    this.#options = options;
  }

  take(message: TabMessage): void {
    switch (message.kind) {
      case 'join':
        this.#join(message);
        break;
      case 'leave':
        this.#relays.get(message.stream)?.members.delete(message.member);
        this.#sweep();
        break;
      case 'ping':
        this.#hearOf(message.members);
        this.#sweep();
        this.#options.tell({ kind: 'pong' });
    }
  }

  #hearOf(members: readonly string[]): void {
    const unknown = new Set(members);
    for (const relay of this.#relays.values()) {
      for (const member of members) {
        if (!relay.members.has(member)) continue;
        relay.members.set(member, Date.now());
        unknown.delete(member);
      }
    }
    // It was taken for gone, as after a night in which the machine slept.
    if (unknown.size > 0) this.#options.tell({ kind: 'lead' });
  }

  close(): void {
    for (const { stream } of this.#relays.values()) stream.close();
    this.#relays.clear();
  }

  #join({ stream, member, cursor }: TabMessage & { kind: 'join' }): void {
    const url = URL.parse(stream, this.#options.base);
    if (!url?.href.startsWith(this.#options.base.href)) return;
    const known = this.#relays.get(stream);
    const relay = known ?? this.#open(url, stream, cursor);
    relay.members.set(member, Date.now());
    this.#options.tell({ kind: 'joined', stream, member, isOn: relay.isOn });
    if (!known) relay.stream.open();
    else if (relay.isWaiting) relay.stream.reconnect();
  }

  /** @param after where its first member is, to whom it is then all new. */
  #open(url: URL, name: string, after: string | undefined): Relay {
    const { fetch, headers, way } = this.#options;
    const sink = {
      take() {},
      connection: (state: ConnectionState) => {
        relay.isWaiting = state.retryAt !== undefined;
        // With an error, which its members were told: who tries again joins again.
        if (rests(state)) way.streams.delete(relay.stream);
        if (state.phase === 'closed' && this.#relays.get(name) === relay) this.#relays.delete(name);
      },
    };
    const tapped = this.#tap(name, way, () => relay);
    // The tabs read what the frames say, this one among them.
    const options = { fetch, headers, after, startsOver: true, numbersOnly: true, way: tapped };
    const stream = new Stream(url, sink, options);
    const relay: Relay = { stream, members: new Map(), isOn: false, isWaiting: false };
    this.#relays.set(name, relay);
    way.streams.add(stream);
    return relay;
  }

  /** The same way, of which everything is told to the tabs. */
  #tap(stream: string, way: Way, relayOf: () => Relay): Way {
    const { tell } = this.#options;
    const listen = (carrier: Carrier): Carrier =>
      async function* (url, options) {
        const relay = relayOf();
        const onHeartbeat = (): void => {
          tell({ kind: 'heartbeat', stream });
          options.onHeartbeat();
        };
        try {
          for await (const frames of carrier(url, { ...options, onHeartbeat, isLive: () => false })) {
            const from = options.cursor();
            const to = frames.findLast(({ id }) => id !== undefined)?.id ?? from;
            relay.isOn = true;
            await tell({ kind: 'frames', stream, from, to, frames }, relay.members.keys());
            yield frames;
          }
          tell({ kind: 'end', stream });
        } catch (error) {
          const { code, message, particulars } = TelltaleError.from(error, 'unreachable');
          if (!options.signal.aborted)
            tell({ kind: 'cut', stream, problem: { ...particulars, code, detail: message } });
          throw error;
        } finally {
          relay.isOn = false;
        }
      };
    let heard = carrierOf(way);
    let carrier = listen(heard);
    return {
      get carrier() {
        if (carrierOf(way) !== heard) {
          heard = carrierOf(way);
          carrier = listen(heard);
        }
        return carrier;
      },
      streams: way.streams,
      base: way.base,
      share: way.share,
      detour: (it) => way.detour(it),
    };
  }

  #sweep(): void {
    for (const [name, { stream, members }] of this.#relays) {
      for (const [member, heardAt] of members) if (Date.now() - heardAt > GONE_MS) members.delete(member);
      if (members.size > 0) continue;
      stream.close();
      this.#relays.delete(name);
    }
  }
}
