import { useEffect, useRef, useSyncExternalStore } from 'react';

/** What a key does, here and now. The help sheet and the palette list what is there. */
export interface Shortcut {
  /** `j`, `Shift+e`, `Escape`, `Mod+k` (⌘ or Ctrl), or two keys one after the other: `g r`. */
  readonly keys: string;
  /** What it does, as a person would say it: "Next error". */
  readonly label: string;
  readonly run: () => void;
  /** In the palette only: no key of its own. */
  readonly isHidden?: boolean;
}

export interface ShortcutGroup {
  readonly title: string;
  readonly shortcuts: readonly Shortcut[];
}

const groups = new Map<object, ShortcutGroup>();
const listeners = new Set<() => void>();
let shown: readonly ShortcutGroup[] = [];

function changed(): void {
  shown = [...groups.values()];
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** All that keys do now. */
export const useShortcutGroups = (): readonly ShortcutGroup[] => useSyncExternalStore(subscribe, () => shown);

/**
 * Keys that do something while the component is there; those of the component that came last count. They are off while
 * somebody types, and while a dialog is open.
 *
 * @example
 * useShortcuts('Run', [{ keys: 'e', label: 'Next error', run: nextError }]);
 */
export function useShortcuts(title: string, shortcuts: readonly Shortcut[]): void {
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  const names = JSON.stringify(shortcuts.map(({ keys, label }) => [keys, label]));
  useEffect(() => {
    const owner = {};
    const listed = (JSON.parse(names) as [string, string][]).map(([keys, label], i) => ({
      keys,
      label,
      run: () => latest.current[i]?.run(),
    }));
    groups.set(owner, { title, shortcuts: listed });
    changed();
    return () => {
      groups.delete(owner);
      changed();
    };
  }, [title, names]);
}

const isApple = /Mac|iP/.test(navigator.platform);

/** Keys as they stand on this machine's keyboard: `Mod+k` is ⌘K or Ctrl K. */
export const keysShown = (keys: string): string =>
  keys.startsWith('Mod+') ? `${isApple ? '⌘' : 'Ctrl '}${keys.slice(4).toUpperCase()}` : keys;

/** Between the two keys of a pair. */
const PAIR_MS = 1_000;
let first: { readonly key: string; readonly at: number } | undefined;

function press(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const key = named(event);
  if (key === undefined) return;
  const isPlain = !key.startsWith('Mod+');
  if (isPlain && isTyping(event.target)) return;
  if (document.querySelector('dialog[open]')) return;
  const pair = first && event.timeStamp - first.at < PAIR_MS ? `${first.key} ${key}` : undefined;
  first = { key, at: event.timeStamp };
  const all = [...groups.values()].reverse().flatMap((it) => it.shortcuts);
  const found = all.find((it) => it.keys === pair) ?? all.find((it) => it.keys === key);
  if (!found) return;
  event.preventDefault();
  found.run();
}

function named({ key, ctrlKey, metaKey, altKey, shiftKey }: KeyboardEvent): string | undefined {
  if (altKey) return undefined;
  if (ctrlKey || metaKey) return `Mod+${key.toLowerCase()}`;
  return shiftKey && /^[A-Za-z]$|^[A-Z]\w+$/.test(key) ? `Shift+${key.length === 1 ? key.toLowerCase() : key}` : key;
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select'));

window.addEventListener('keydown', press);
