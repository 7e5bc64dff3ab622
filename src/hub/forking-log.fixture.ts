import { buildBlock, type Log, type Wake } from '../log/index.ts';
import { openMemory } from '../log/memory.ts';
import { type Block, type EpochStart, encodeEvent } from '../protocol/index.ts';

/** A log of one thread, `t`, that can come back with less than it had acknowledged, as a store after a fault does. */
export class ForkingLog {
  readonly log: Log;
  readonly #epochs: EpochStart[] = [{ id: 'e1', after: 0 }];
  readonly #listeners = new Set<(wake: Wake) => void>();
  #blocks: Block[] = [];

  constructor() {
    const head = async () => {
      const { id } = this.#epochs.at(-1)!;
      return { epoch: id, first: 1, last: this.last, epochs: [...this.#epochs] };
    };
    this.log = {
      ...openMemory(),
      durability: 'memory',
      head,
      read: async (_threadId, after) => ({
        head: await head(),
        blocks: this.#blocks.filter(({ last }) => last > after),
      }),
      follow: async (_threadId, listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    };
  }

  get last(): number {
    return this.#blocks.length;
  }

  append(): Block {
    const context = { threadId: 't', runId: 't', time: '2026-11-20T18:00:00.000Z' };
    const epoch = this.#epochs.at(-1)!.id;
    const event = encodeEvent({ type: 'custom', data: { name: 'n', value: `${epoch} ${this.last}` } }, context);
    const block = buildBlock(epoch, this.last + 1, [event]);
    this.#blocks.push(block);
    for (const listener of this.#listeners) listener({ epoch, last: block.last, block });
    return block;
  }

  /** Loses everything after `after`. Nobody is told. */
  fork(after: number): void {
    this.#blocks = this.#blocks.slice(0, after);
    this.#epochs.push({ id: `e${this.#epochs.length + 1}`, after });
  }
}
