import { useMemo, useSyncExternalStore } from 'react';
import { type Readable, throttled, untouched } from './readable.ts';

export interface HookOptions {
  /** `false`: shows what is known, and does not connect. Default `true`. */
  readonly enabled?: boolean;
  /** At most one render in so many milliseconds. Without it, one per frame. */
  readonly throttleMs?: number;
}

/** Which part of a result a component shows. It renders only when that part changes. */
export interface Selecting<Result, Slice> {
  readonly select: (result: Result) => Slice;
  /** Whether two parts are the same to the component. By default they are if all their fields are. */
  readonly isEqual?: (a: Slice, b: Slice) => boolean;
}

/** A hook's options, with or without a selection. */
export type ViewOptions<Result, Slice> = HookOptions & Partial<Selecting<Result, Slice>>;

/**
 * Shows a store: all of what `describe` makes of its view, or the part that `select` names.
 *
 * @param describe the same function from render to render.
 */
export function useView<View, Result, Slice = Result>(
  store: Readable<View>,
  describe: (view: View) => Result,
  { enabled = true, throttleMs = 0, select, isEqual = isShallowEqual }: ViewOptions<Result, Slice> = {},
): Slice {
  const source = useMemo(
    () => (enabled && throttleMs > 0 ? throttled(store, throttleMs) : store),
    [store, enabled, throttleMs],
  );
  const [now, first] = useMemo(() => {
    const pick = (view: View) => {
      const result = describe(view);
      return select ? select(result) : (result as unknown as Slice);
    };
    return [kept(source.getSnapshot, pick, isEqual), kept(source.getServerSnapshot, pick, isEqual)];
  }, [source, describe, select, isEqual]);
  return useSyncExternalStore(enabled ? source.subscribe : untouched, now, first);
}

/** Reads a part of a view: the same one as before where nothing in it has changed. */
function kept<View, Slice>(read: () => View, pick: (view: View) => Slice, isEqual: (a: Slice, b: Slice) => boolean) {
  let last: { readonly view: View; readonly slice: Slice } | undefined;
  return (): Slice => {
    const view = read();
    if (last?.view === view) return last.slice;
    const slice = pick(view);
    last = { view, slice: last && isEqual(last.slice, slice) ? last.slice : slice };
    return last.slice;
  };
}

/** The same, or two objects or lists with the same fields. */
export function isShallowEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (!a || !b || typeof a !== 'object' || typeof b !== 'object') return false;
  const fields = Object.entries(a);
  return (
    fields.length === Object.keys(b).length &&
    fields.every(([name, value]) => Object.hasOwn(b, name) && Object.is(value, b[name as keyof typeof b]))
  );
}
