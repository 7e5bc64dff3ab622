/**
 * Who may run, and who waits. Each agent that has a limit of its own has a line of its own, all others share one; a line is
 * first come, first served. Where the total leaves room for one more, the earliest of those who are first in a line that
 * has room gets it: a busy agent holds up nobody but its own. Runs that take turns in their thread wait for each other,
 * and hold up nobody else either.
 */
import { TelltaleError } from '../protocol/index.ts';

export interface QueueOptions {
  /** Runs that may be under way at once, of all agents together. */
  readonly concurrency: number;
  /** Runs that may wait; one more is refused. */
  readonly maxQueued: number;
}

/** The place of one run, from before it is opened until after its end. */
export interface Place {
  /** How many are before it in its line; absent once its turn has come. */
  readonly position: number | undefined;
  /** Resolves when its turn has come. */
  readonly turn: Promise<void>;
  /** From now on tells of every position that is told, until its turn comes. */
  follow(listener: (position: number) => void): void;
  /** Gives the place up, waiting or not; again is no error. */
  leave(): void;
}

interface Line {
  readonly limit: number;
  running: number;
  readonly waiting: Waiter[];
}

/** Positions below it are told as they are. Farther back each is told again when a quarter of those before are gone. */
const NEAR = 10;
const FAR_SHARE = 3 / 4;
/** Positions are told at most so often, all of them together: a fast agent's line moves a thousand times a second. */
const TELL_MS = 1_000;

export class RunQueue {
  readonly #options: QueueOptions;
  readonly #lines = new Map<string, Line>();
  /** Threads in which somebody has the turn. */
  readonly #taken = new Set<string>();
  #running = 0;
  #waiting = 0;
  #arrivals = 0;
  #toldAt = Number.NEGATIVE_INFINITY;
  #telling: NodeJS.Timeout | undefined;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /**
   * Takes a place: its turn has come at once where there is room.
   *
   * @param limit how many runs of this agent may be under way at once, where it has such a limit.
   * @param turnsIn the thread in which it takes turns with others that do, where it does.
   * @throws {TelltaleError} `overloaded` where as many wait as may.
   */
  enter(agent: string, limit?: number, turnsIn?: string): Place {
    const line = this.#lineOf(agent, limit);
    const isItsTurn = turnsIn === undefined || !this.#taken.has(turnsIn);
    const hasRoom = this.#running < this.#options.concurrency && line.running < line.limit && isItsTurn;
    if (!hasRoom && this.#waiting >= this.#options.maxQueued) {
      const detail = `${this.#waiting} runs wait already, as many as may. Start this one later.`;
      throw new TelltaleError('overloaded', detail, { maxQueued: this.#options.maxQueued });
    }
    const waiter = new Waiter(line, this.#arrivals++, turnsIn, {
      leave: () => this.#leave(waiter),
      onFollow: () => this.#tellSoon(),
    });
    line.waiting.push(waiter);
    this.#waiting++;
    this.#advance();
    waiter.told = waiter.position ?? 0;
    return waiter;
  }

  #lineOf(agent: string, limit: number | undefined): Line {
    // No name of an agent: a line of those that share one.
    const name = limit === undefined ? '' : agent;
    const line = this.#lines.get(name) ?? { limit: limit ?? Number.POSITIVE_INFINITY, running: 0, waiting: [] };
    this.#lines.set(name, line);
    return line;
  }

  #advance(): void {
    while (this.#running < this.#options.concurrency) {
      const heads = [...this.#lines.values()].flatMap(({ waiting, running, limit }) =>
        running < limit ? (waiting.find((it) => this.#isTurnOf(it)) ?? []) : [],
      );
      if (heads.length === 0) return;
      const next = heads.reduce((one, other) => (other.arrival < one.arrival ? other : one));
      next.line.waiting.splice(next.line.waiting.indexOf(next), 1);
      next.line.running++;
      if (next.turnsIn !== undefined) this.#taken.add(next.turnsIn);
      this.#waiting--;
      this.#running++;
      next.begin();
      this.#tellSoon();
    }
  }

  #isTurnOf({ turnsIn }: Waiter): boolean {
    return turnsIn === undefined || !this.#taken.has(turnsIn);
  }

  #leave({ line, position, turnsIn }: Waiter): void {
    if (position === undefined) {
      if (turnsIn !== undefined) this.#taken.delete(turnsIn);
      line.running--;
      this.#running--;
      this.#advance();
    } else {
      line.waiting.splice(position, 1);
      this.#waiting--;
      this.#tellSoon();
    }
  }

  #tellSoon(): void {
    if (this.#waiting === 0) {
      clearTimeout(this.#telling);
      this.#telling = undefined;
      return;
    }
    this.#telling ??= setTimeout(() => this.#tell(), Math.max(0, this.#toldAt + TELL_MS - performance.now())).unref();
  }

  #tell(): void {
    this.#telling = undefined;
    this.#toldAt = performance.now();
    for (const { waiting } of this.#lines.values()) {
      for (const [position, waiter] of waiting.entries()) waiter.tell(position);
    }
  }
}

class Waiter implements Place {
  readonly line: Line;
  readonly arrival: number;
  readonly turnsIn: string | undefined;
  readonly #turn = Promise.withResolvers<void>();
  readonly #queue: { leave(): void; onFollow(): void };
  #listener: ((position: number) => void) | undefined;
  #left = false;
  /** The position that the run's events say. */
  told = 0;

  constructor(line: Line, arrival: number, turnsIn: string | undefined, queue: { leave(): void; onFollow(): void }) {
    this.line = line;
    this.arrival = arrival;
    this.turnsIn = turnsIn;
    this.#queue = queue;
  }

  get turn(): Promise<void> {
    return this.#turn.promise;
  }

  get position(): number | undefined {
    const index = this.line.waiting.indexOf(this);
    return index < 0 ? undefined : index;
  }

  follow(listener: (position: number) => void): void {
    this.#listener = listener;
    this.#queue.onFollow();
  }

  leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.#queue.leave();
  }

  begin(): void {
    this.#turn.resolve();
  }

  tell(position: number): void {
    const isWorthIt = position < NEAR ? position < this.told : position <= this.told * FAR_SHARE;
    if (!isWorthIt || !this.#listener) return;
    this.told = position;
    this.#listener(position);
  }
}
