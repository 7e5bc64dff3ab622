/** Finding text in all that a run tells, however much that is, without holding up the page. */
import type { RunView } from '../client/index.ts';
import type { Found, Match } from './found.ts';
import type { Readable } from './readable.ts';
import { type Entity, keyOf, type RowKind, seqOf } from './timeline-row.ts';

/** So long it may look, in milliseconds, before the page has its turn; a text is looked at in pieces of so many characters. */
const SLICE_MS = 5;
const PIECE = 32_768;
/** What was found is told so often at most, in milliseconds: each time all of it is put in order. */
const TELL_MS = 100;

type Texts = readonly (readonly [where: Match['where'], value: unknown])[];
interface List {
  readonly name: 'agents' | 'steps' | 'reasoning' | 'messages' | 'tools' | 'activities' | 'approvals' | 'errors';
  readonly kind: RowKind;
  readonly textsOf: (it: Readonly<Record<string, unknown>>) => Texts;
}
const LISTS: readonly List[] = [
  { name: 'agents', kind: 'agent', textsOf: ({ name }) => [['name', name]] },
  { name: 'steps', kind: 'step', textsOf: ({ name }) => [['name', name]] },
  { name: 'reasoning', kind: 'thinking', textsOf: ({ text }) => [['text', text]] },
  { name: 'messages', kind: 'message', textsOf: ({ text }) => [['text', text]] },
  {
    name: 'tools',
    kind: 'tool',
    textsOf: ({ name, args, argsText, result, reason }) => [
      ['name', name],
      ['args', args ?? argsText],
      ['result', result],
      ['error', reason],
    ],
  },
  {
    name: 'activities',
    kind: 'activity',
    textsOf: ({ action, details }) => [
      ['name', action],
      ['text', details],
    ],
  },
  {
    name: 'approvals',
    kind: 'approval',
    textsOf: ({ prompt, comment }) => [
      ['text', prompt],
      ['text', comment],
    ],
  },
  {
    name: 'errors',
    kind: 'error',
    textsOf: ({ code, message }) => [
      ['error', message],
      ['error', code],
    ],
  },
];
/** Those whose rows tell of their failure themselves. */
const TELLERS: ReadonlySet<string> = new Set(['agents', 'steps', 'tools']);

/** As it is compared: compatible forms are the same, and so are capitals. */
const plain = (text: string): string => text.normalize('NFKC').toLowerCase();

/** Looks for a text while somebody subscribes: in what is there, and in what comes. */
export function find(store: Readable<RunView>, text: string): Readable<Found> {
  const wanted = plain(text);
  const listeners = new Set<() => void>();
  /** What was looked at, by list and place, with what was found there. */
  const looked = LISTS.map(() => ({ at: [] as unknown[], found: new Map<number, readonly Match[]>() }));
  const tellers = new Map<number, string>();
  /** Its messages are turns that hidden pages get as well; timers would wait for a second there. */
  let channel: MessageChannel | undefined;
  let isPosted = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isNew = true;
  let toldAt = 0;
  let shown: Found = { matches: [], isSearching: true };
  const first = shown;
  let leave: (() => void) | undefined;

  function begin(): void {
    channel = new MessageChannel();
    channel.port1.onmessage = () => {
      isPosted = false;
      if (leave) work();
    };
    leave = store.subscribe(wake);
  }

  function end(): void {
    leave?.();
    leave = undefined;
    channel?.port1.close();
    isPosted = false;
    clearTimeout(timer);
    timer = undefined;
  }

  function wake(): void {
    if (isPosted) return;
    isPosted = true;
    channel?.port2.postMessage(null);
  }

  function work(): void {
    const until = performance.now() + SLICE_MS;
    const isDone = look(until);
    const now = performance.now();
    const dueIn = toldAt + TELL_MS - now;
    if ((isNew && dueIn <= 0) || (isDone && shown.isSearching)) {
      toldAt = now;
      isNew = false;
      shown = { matches: matches(), isSearching: !isDone };
      for (const listener of listeners) listener();
    }
    if (!isDone) wake();
    else if (isNew) {
      timer ??= setTimeout(() => {
        timer = undefined;
        wake();
      }, dueIn);
    }
  }

  /** @returns whether all is looked at. */
  function look(until: number): boolean {
    const data = store.getSnapshot().data;
    for (const [i, { name, kind, textsOf }] of LISTS.entries()) {
      const items = (data?.[name] ?? []) as readonly (Entity & Readonly<Record<string, unknown>>)[];
      const { at, found } = looked[i] as (typeof looked)[number];
      for (let gone = items.length; gone < at.length; gone++) isNew = found.delete(gone) || isNew;
      at.length = Math.min(at.length, items.length);
      for (let place = 0; place < items.length; place++) {
        const item = items[place];
        if (!item || at[place] === item) continue;
        if (performance.now() > until) return false;
        at[place] = item;
        const seq = seqOf(item);
        const key = keyOf(kind, item);
        if (TELLERS.has(name) && item.status === 'failed' && item.endSeq !== undefined) tellers.set(item.endSeq, key);
        const where = new Set(textsOf(item).flatMap(([where, value]) => (has(value, wanted) ? [where] : [])));
        if (where.size === 0 || seq === undefined) isNew = found.delete(place) || isNew;
        else {
          found.set(
            place,
            Array.from(where, (it) => ({ rowKey: key, seq, where: it })),
          );
          isNew = true;
        }
      }
    }
    return true;
  }

  /** In the order of the log; errors on the rows that tell of them. */
  function matches(): readonly Match[] {
    const all = looked.flatMap(({ found }) => [...found.values()].flat());
    return all
      .map((it) => (it.where === 'error' ? { ...it, rowKey: tellers.get(it.seq) ?? it.rowKey } : it))
      .sort((a, b) => a.seq - b.seq);
  }

  return {
    subscribe(listener) {
      listeners.add(listener);
      if (!leave) begin();
      wake();
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) end();
      };
    },
    getSnapshot: () => shown,
    getServerSnapshot: () => first,
  };
}

/** Values are looked through as they are shown: strings as they are, anything else as JSON. */
function has(value: unknown, wanted: string): boolean {
  if (value === undefined) return false;
  const text = typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? '');
  if (text.length <= PIECE) return plain(text).includes(wanted);
  // Pieces overlap by what a text that is looked for can be before it is made plain.
  for (let from = 0; from < text.length; from += PIECE) {
    if (plain(text.slice(from, from + PIECE + wanted.length * 4)).includes(wanted)) return true;
  }
  return false;
}
