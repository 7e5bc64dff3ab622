/**
 * All tabs of an origin over the connections of one. The tab that holds a Web Lock leads: it opens the streams that any
 * of them follows, and tells their frames on a BroadcastChannel as they came. Each tab takes frames as it would from a
 * connection of its own, with a place of its own in the log; where what is told does not follow on that place, it reads
 * pages until it does. So a tab that joins late, or missed something, loses nothing, and a new leader need not know what
 * the old one had told. Loaded where it is asked for.
 */
import { parseCursor, TelltaleError } from '../protocol/index.ts';
import type { Carrier, FramesOptions, ServerFrame } from './frames.ts';
import { readPages } from './pages.ts';
import { Relays, type RelaysOptions } from './relays.ts';
import { direct, type Way } from './stream.ts';
import { isTabMessage, type LeaderMessage, type TabMessage } from './tab-message.ts';
import type { Transport } from './transport.ts';

/** How often a tab asks whether the leader is there, and how often in vain before it takes over: a frozen tab keeps its lock. */
const BEAT_MS = 1_000;
const MAX_SILENT = 3;
/** A tab that takes no more than this reads pages instead. */
const MAX_WAITING = 500;
/** What the leader reads before its own tab has taken it. */
const AHEAD = 4;

type Options = Omit<RelaysOptions, 'tell'>;

/**
 * What carries the streams of a way over the tabs that give the same server and identity. Where the browser has no locks or
 * channels, as on a page that is not secure, each tab has connections of its own.
 */
export function amongTabs(way: Way, identity: string, base: URL, transport: Transport): Carrier {
  if (!globalThis.navigator?.locks || !globalThis.BroadcastChannel) {
    way.carrier = undefined;
    return direct;
  }
  const known = TABS.get(way);
  if (known) return known;
  const own: Way = {
    carrier: undefined,
    streams: new Set(),
    base,
    share: way.share,
    detour: (stream) =>
      import('./detour.ts').then(
        (it) => it.takeDetour(own, stream, transport),
        () => {},
      ),
  };
  const tabs = new Tabs(`telltale ${base} ${identity}`, { ...transport, base, way: own });
  const carrier: Carrier = (...it) => tabs.follow(...it);
  TABS.set(way, carrier);
  return carrier;
}

const TABS = new WeakMap<Way, Carrier>();

class Tabs {
  readonly #name: string;
  readonly #options: Options;
  readonly #members = new Map<string, Member>();
  #channel: BroadcastChannel | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** Ends the wish to lead, and leading. */
  #term: AbortController | undefined;
  #relays: Relays | undefined;
  #beatAt = 0;
  #silent = 0;

  constructor(name: string, options: Options) {
    this.#name = name;
    this.#options = options;
  }

  async *follow(url: URL, options: FramesOptions): AsyncGenerator<readonly ServerFrame[], void, void> {
    const member = new Member(url, options);
    this.#enter(member);
    const join = (): void => {
      this.#tell({ kind: 'join', stream: member.stream, member: member.id, cursor: options.cursor() });
    };
    try {
      join();
      for (;;) {
        const message = await member.next();
        if (message.kind === 'lead') join();
        else if (yield* member.take(message)) return;
      }
    } finally {
      this.#leave(member);
    }
  }

  #enter(member: Member): void {
    this.#members.set(member.id, member);
    if (this.#channel) return;
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = ({ data }) => isTabMessage(data) && this.#take(data);
    this.#timer = setInterval(() => this.#beat(), BEAT_MS * (1 + Math.random() / 3));
    this.#beatAt = Date.now();
    this.#campaign();
  }

  #leave(member: Member): void {
    const { id, stream } = member;
    member.leave();
    this.#members.delete(id);
    this.#tell({ kind: 'leave', stream, member: id });
    if (this.#members.size > 0) return;
    clearInterval(this.#timer);
    this.#term?.abort();
    this.#channel?.close();
    this.#channel = undefined;
  }

  #campaign(steal = false): void {
    this.#term?.abort();
    const term = new AbortController();
    this.#term = term;
    const lead = async (): Promise<void> => {
      if (term.signal.aborted) return;
      const tell: RelaysOptions['tell'] = (...it) => term.signal.aborted || this.#tell(...it);
      const relays = new Relays({ ...this.#options, tell });
      this.#relays = relays;
      this.#tell({ kind: 'lead' });
      await new Promise((resolve) => term.signal.addEventListener('abort', resolve));
      relays.close();
      if (this.#relays === relays) this.#relays = undefined;
    };
    navigator.locks
      .request(this.#name, steal ? { steal } : { signal: term.signal }, lead)
      // Another tab took over, since this one was silent for too long.
      .catch(() => term.signal.aborted || this.#campaign());
  }

  #beat(): void {
    // A timer that comes late says that this tab was silent, not the leader.
    const isLate = Date.now() - this.#beatAt > 2 * BEAT_MS;
    this.#beatAt = Date.now();
    if (isLate || this.#relays) this.#silent = 0;
    else if (++this.#silent > MAX_SILENT) {
      this.#silent = 0;
      this.#campaign(true);
    }
    this.#tell({ kind: 'ping', members: [...this.#members.keys()] });
  }

  /**
   * To all tabs, and this one. To this one alone where no other has a member that wants to know: the channel copies all
   * that it is given, of a long history 50 MB.
   */
  #tell(message: TabMessage, members?: Iterable<string>): Promise<unknown> {
    if (!members || [...members].some((it) => !this.#members.has(it))) this.#channel?.postMessage(message);
    return this.#take(message);
  }

  /** Resolves when who follows here has taken it. */
  async #take(message: TabMessage): Promise<void> {
    if (message.kind === 'join' || message.kind === 'leave' || message.kind === 'ping') {
      this.#relays?.take(message);
      return;
    }
    this.#silent = 0;
    for (const member of this.#members.values()) {
      if (message.kind === 'lead' || ('stream' in message && message.stream === member.stream)) member.push(message);
    }
    for (const member of this.#members.values()) await member.room();
  }
}

/** One who follows a stream in this tab. */
class Member {
  readonly id = crypto.randomUUID();
  /** Path and query. */
  readonly stream: string;
  readonly #url: URL;
  readonly #options: FramesOptions;
  readonly #waiting: LeaderMessage[] = [];
  #news = Promise.withResolvers<void>();
  #taken = Promise.withResolvers<void>();
  #isReading = false;
  /** It was told everything up to its place, by this leader's connection or by pages. */
  #isOn = false;

  constructor(url: URL, options: FramesOptions) {
    this.#url = url;
    this.stream = url.pathname + url.search;
    this.#options = options;
    options.signal.addEventListener('abort', () => this.leave());
  }

  leave(): void {
    this.#waiting.length = 0;
    this.#news.resolve();
    this.#makeRoom();
  }

  /**
   * Resolves when it may be told more: the leader reads no faster than its own tab takes. Who reads pages is not waited
   * for, as all others would be held up by it.
   */
  async room(): Promise<void> {
    while (this.#waiting.length > AHEAD && !this.#isReading) await this.#taken.promise;
  }

  #makeRoom(): void {
    this.#taken.resolve();
    this.#taken = Promise.withResolvers();
  }

  push(message: LeaderMessage): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#waiting.length = 0;
      this.#waiting.push({ kind: 'joined', stream: this.stream, member: this.id, isOn: true });
    }
    this.#waiting.push(message);
    this.#news.resolve();
  }

  async next(): Promise<LeaderMessage> {
    for (;;) {
      this.#options.signal.throwIfAborted();
      const message = this.#waiting.shift();
      this.#makeRoom();
      if (message) return message;
      await this.#news.promise;
      this.#news = Promise.withResolvers();
    }
  }

  /** What a message brings; true at the end. @throws what cut the leader's connection. */
  async *take(message: LeaderMessage): AsyncGenerator<readonly ServerFrame[], boolean, void> {
    switch (message.kind) {
      case 'heartbeat':
        this.#options.onHeartbeat();
        return false;
      case 'cut':
        throw TelltaleError.fromProblem(message.problem, 'unreachable');
      case 'end':
        yield* this.#catchUp();
        return true;
      case 'joined':
        if (message.isOn && message.member === this.id) yield* this.#catchUp();
        return false;
      case 'frames': {
        const place = this.#options.cursor();
        const begins = message.frames[0]?.event === 'stream.hello';
        if (place === message.from && (begins || this.#isOn)) {
          this.#isOn = true;
          yield message.frames;
        } else if (begins || (this.#isOn && !covers(place, message.to))) yield* this.#catchUp();
        return false;
      }
      default:
        return false;
    }
  }

  async *#catchUp(): AsyncGenerator<readonly ServerFrame[], void, void> {
    this.#isReading = true;
    this.#makeRoom();
    try {
      yield* readPages(this.#url, this.#options, false);
    } finally {
      this.#isReading = false;
    }
    this.#isOn = true;
  }
}

/** All that is known at the second cursor is known at the first. */
function covers(place: string | undefined, cursor: string | undefined): boolean {
  const [mine, theirs] = [parseCursor(place ?? ''), parseCursor(cursor ?? '')];
  return !theirs || (mine !== undefined && mine.epoch === theirs.epoch && mine.seq >= theirs.seq);
}
