/** What bears on an append, gathered from memory and, beforehand and for many appends at once, from the archive. */
import type { AppendFacts, AppendOptions, KnownRun, ProducerEntry } from '../index.ts';
import type { Archive } from './archive.ts';
import { after, onceKey, producerEpochOf, producerKey, runKey, threadKey } from './keys.ts';
import { ask, type Layer, producerName } from './layer.ts';
import { headUnder, type StoredRun, type StoredThread } from './stored.ts';

export interface Question {
  readonly threadId: string;
  readonly options: AppendOptions;
}

/** What the archive knew of all that a group of appends asks for and memory did not know. */
export class ArchivedFacts {
  readonly #values = new Map<string, unknown>();

  static async gather(
    archive: Archive,
    layers: readonly Layer[],
    questions: readonly Question[],
  ): Promise<ArchivedFacts> {
    const facts = new ArchivedFacts();
    const keys = new Set<string>();
    for (const { threadId, options } of questions) {
      const { runId, producer, once } = options;
      if (!ask(layers, (layer) => layer.threads.get(threadId))) keys.add(threadKey(threadId));
      const known = ask(layers, (layer) => layer.runs.get(runId));
      const newest = producer && ask(layers, (layer) => layer.newest.get(producerName(runId, producer.id)));
      if (!known || (producer && !newest)) keys.add(runKey(runId));
      if (once !== undefined && ask(layers, (layer) => layer.once.get(onceKey(threadId, once))) === undefined) {
        keys.add(onceKey(threadId, once));
      }
    }
    const wanted = [...keys];
    const values = await archive.getMany(wanted);
    for (const [i, key] of wanted.entries()) facts.#values.set(key, values[i]);
    for (const { options } of questions) await facts.#gatherEarlier(archive, layers, options);
    return facts;
  }

  /** A retry of an append that is in the archive: rare, so one look-up each. */
  async #gatherEarlier(archive: Archive, layers: readonly Layer[], { runId, producer }: AppendOptions): Promise<void> {
    if (!producer) return;
    const { id, epoch, seq } = producer;
    const newest = ask(layers, (layer) => layer.newest.get(producerName(runId, id))) ?? this.newest(runId, id);
    if (!newest || epoch > newest.epoch || (epoch === newest.epoch && seq > newest.seq)) return;
    if (ask(layers, (layer) => layer.producerEntry(runId, id, epoch, seq))) return;
    const end = after(producerEpochOf(runId, id, epoch));
    for await (const key of archive.keys(producerKey(runId, id, epoch, seq - 1), end)) {
      const entries = (await archive.get<ProducerEntry[]>(key)) ?? [];
      const entry = entries.find((known) => known.seq === seq);
      if (entry) this.#values.set(producerKey(runId, id, epoch, seq), entry);
      return;
    }
  }

  get<T>(key: string): T | undefined {
    return this.#values.get(key) as T | undefined;
  }

  newest(runId: string, id: string): { epoch: number; seq: number } | undefined {
    const producers = this.get<StoredRun>(runKey(runId))?.producers;
    const newest = producers && Object.hasOwn(producers, id) ? producers[id] : undefined;
    return newest && { epoch: newest[0], seq: newest[1] };
  }
}

/** `layers`: the newest first, those that were there when `archived` was gathered among them. */
export function factsOf(
  { threadId, options: { runId, producer, once } }: Question,
  layers: readonly Layer[],
  archived: ArchivedFacts,
  incarnations: readonly string[],
): Omit<AppendFacts, 'run'> & { readonly run: KnownRun | undefined } {
  const thread = ask(layers, (layer) => layer.threads.get(threadId)) ?? archived.get<StoredThread>(threadKey(threadId));
  const known = producer && ask(layers, (layer) => layer.newest.get(producerName(runId, producer.id)));
  return {
    head: thread && headUnder(incarnations, threadId, thread),
    run: ask(layers, (layer) => layer.runs.get(runId)) ?? archived.get<StoredRun>(runKey(runId))?.record,
    newest: producer && (known ?? archived.newest(runId, producer.id)),
    earlier:
      producer &&
      (ask(layers, (layer) => layer.producerEntry(runId, producer.id, producer.epoch, producer.seq)) ??
        archived.get<ProducerEntry>(producerKey(runId, producer.id, producer.epoch, producer.seq))),
    decidedAt:
      once === undefined
        ? undefined
        : (ask(layers, (layer) => layer.once.get(onceKey(threadId, once))) ??
          archived.get<number>(onceKey(threadId, once))),
  };
}
