/** What `useSyncExternalStore` reads: the stores of the client are some. */
export interface Readable<View> {
  readonly subscribe: (listener: () => void) => () => void;
  readonly getSnapshot: () => View;
  readonly getServerSnapshot: () => View;
}

/** Nothing ever changes. */
export const untouched = (): (() => void) => leave;
const leave = (): void => {};

/** Shows what it was given, and never anything else. */
export function still<View>(view: View): Readable<View> {
  const show = (): View => view;
  return { subscribe: untouched, getSnapshot: show, getServerSnapshot: show };
}

/**
 * The same, with a new view at most every `ms` milliseconds: at once, then with what is there when the time is over. The
 * view is held back too, not only the news of it: a parent that renders meanwhile changes nothing.
 */
export function throttled<View>(store: Readable<View>, ms: number): Readable<View> {
  let view = store.getSnapshot();
  return {
    subscribe(listener) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const show = (): void => {
        timer = undefined;
        const next = store.getSnapshot();
        if (next === view) return;
        view = next;
        timer = setTimeout(show, ms);
        listener();
      };
      const leave = store.subscribe(() => {
        if (timer === undefined) show();
      });
      view = store.getSnapshot();
      return () => {
        clearTimeout(timer);
        leave();
      };
    },
    getSnapshot: () => view,
    getServerSnapshot: store.getServerSnapshot,
  };
}
