import type { EventData } from '../protocol/index.ts';
import type { ToolCallOf } from './budget.ts';
import { unlessAborted } from './unless-aborted.ts';

/** Who wants a run to stop or to go on, and why. Without `commandId` nobody asked: Telltale itself does it. */
export type Asked = EventData<'run.paused'>;

export interface GateOptions {
  /** Of the run: once it is aborted the gate holds nobody, and those that it held are given its reason. */
  readonly signal: AbortSignal;
  /** Of the run that started this one: what holds that one holds whoever comes here, and is told of them. */
  readonly above?: Gate | undefined;
  /** Writes what comes of it to the log: every command that the gate is given has one outcome, unless the run ends first. */
  readonly tell: <T extends 'run.paused' | 'run.resumed' | 'control.refused'>(type: T, data: EventData<T>) => void;
  /** What else can hold whoever comes while nobody has asked for a pause: see `RunBudget.check`. */
  readonly check?: ((call?: ToolCallOf) => Promise<void> | undefined) | undefined;
}

/**
 * What an agent waits at before something new begins: at a checkpoint, before a tool, before a model call. What is under
 * way is never held, so a pause that was asked for is told (`run.paused`) when the first comes here, and others of the
 * same run may then still be on their way to their own next gate.
 */
export class Gate {
  readonly #options: GateOptions;
  /** `asked`: closed to the next who comes, whom it will be told of. */
  #state: 'open' | 'asked' | 'paused' | 'gone' = 'open';
  /** Of the pause that was asked for, or is. */
  #pause: Asked = {};
  /** Those who wait for people: they begin nothing meanwhile. */
  #idle = 0;
  /** All who are held wait for this one, and go on in the order in which they came. */
  #held: PromiseWithResolvers<void> | undefined;
  /** Aborted with the end of the run, however it came: the run's own signal only tells of those from outside. */
  readonly #closed = new AbortController();

  constructor(options: GateOptions) {
    this.#options = options;
    const { signal } = options;
    signal.addEventListener('abort', () => this.close(signal.reason), { once: true });
  }

  /**
   * Nothing where the way is free, which costs nothing; else a promise that resolves when it is time to ask again, and
   * rejects with the reason where the run ends instead.
   *
   * @param call the tool call that is to begin, where it is one.
   */
  pass(call?: ToolCallOf): Promise<void> | undefined {
    return this.hold() ?? this.#options.check?.(call);
  }

  /** The same for pauses, and for whatever holds the run above. */
  hold(): Promise<void> | undefined {
    if (this.#state === 'gone') return undefined;
    if (this.#state === 'open') {
      const held = this.#options.above?.pass();
      return held && unlessAborted(() => held, this.#closed.signal);
    }
    this.#follow();
    if (!this.#held) {
      this.#held = Promise.withResolvers();
      // Those who wait have it too; but a wait that nobody looks at must not end the process.
      this.#held.promise.catch(() => undefined);
    }
    return this.#held.promise;
  }

  /**
   * Waits for people, and then for as long as the run is paused. Who waits is held already: a pause that is asked for
   * meanwhile is told at once, and not when an answer comes.
   */
  idle<T>(wait: () => Promise<T>): Promise<T> {
    const { above } = this.#options;
    const waiting = () => this.#waitIdle(wait);
    return above ? above.idle(waiting) : waiting();
  }

  /** Holds whoever comes next. */
  pause(asked: Asked): void {
    if (this.#state === 'gone') return;
    if (this.#state !== 'open') {
      this.#refuse(
        asked,
        this.#state === 'paused' ? 'The run is paused already.' : 'The run was asked to pause before.',
      );
      return;
    }
    this.#state = 'asked';
    this.#pause = asked;
    if (this.#idle > 0) this.#follow();
  }

  /** Lets everybody go on; a pause that nobody has come to yet will not be followed. */
  resume({ commandId, by }: Asked): void {
    if (this.#state === 'gone') return;
    if (this.#state === 'open') {
      this.#refuse({ commandId }, 'The run is not paused, and nobody has asked it to pause.');
      return;
    }
    if (this.#state === 'asked') this.#refuse(this.#pause, 'The run was asked to go on before it came to pause.');
    this.#state = 'open';
    this.#options.tell('run.resumed', {
      ...(by !== undefined && { by }),
      ...(commandId !== undefined && { commandId }),
    });
    this.#held?.resolve();
    this.#held = undefined;
  }

  /** The run ends: nobody is held any more, and no command followed. */
  close(reason: unknown): void {
    this.#state = 'gone';
    this.#closed.abort(reason);
    this.#held?.reject(reason);
    this.#held = undefined;
  }

  /** The run has ended, or one above it. */
  get isClosed(): boolean {
    return this.#state === 'gone' || this.#options.above?.isClosed === true;
  }

  async #waitIdle<T>(wait: () => Promise<T>): Promise<T> {
    this.#idle++;
    this.#follow();
    try {
      const heard = await wait();
      for (let held = this.hold(); held; held = this.hold()) await held;
      return heard;
    } finally {
      this.#idle--;
    }
  }

  /** A pause that was asked for is one, from now on. */
  #follow(): void {
    if (this.#state !== 'asked') return;
    this.#state = 'paused';
    this.#options.tell('run.paused', this.#pause);
  }

  #refuse({ commandId }: { readonly commandId?: string | undefined }, message: string): void {
    if (commandId === undefined) return;
    this.#options.tell('control.refused', { commandId, error: { code: 'command_refused', message } });
  }
}
