import { Observable } from 'rxjs';
import type { ConnectionView, Store } from '../client/index.ts';
import { atOnce, type Schedule } from './schedule.ts';

export interface Watched<View, Value> {
  /** Asked for with each subscription: all who subscribe to one run get one store, and share its connection. */
  readonly store: () => Store<View>;
  /** What is emitted, the same object while nothing in it changed; `undefined` while there is none. */
  readonly select: (view: View) => Value | undefined;
  readonly schedule: Schedule | undefined;
  /** A connection that gives up is an error. */
  readonly fails: boolean;
}

/** What a store shows, now and whenever that changes; completes where nothing more will come. */
export function fromStore<View extends ConnectionView, Value>(watched: Watched<View, Value>): Observable<Value> {
  const { select, schedule = atOnce, fails } = watched;
  return new Observable((subscriber) => {
    const store = watched.store();
    let last: Value | undefined;
    const emit = (view: View, end?: 'completed' | 'failed'): void => {
      const value = select(view);
      const isNew = value !== undefined && value !== last;
      last = value;
      if (!isNew && !end) return;
      schedule(() => {
        if (isNew) subscriber.next(value);
        if (end === 'completed') subscriber.complete();
        if (end === 'failed') subscriber.error(view.error);
      });
    };
    if (fails) comeBack(store);
    const leave = store.subscribe(() => {
      const view = store.getSnapshot();
      // A store with users is idle only after its client was closed.
      if (view.connection === 'idle' || hasEnded(view)) emit(view, 'completed');
      else emit(view, fails && hasFailed(view) ? 'failed' : undefined);
    });
    // It may still say why it gave up before: that is no error of this subscription.
    const view = store.getSnapshot();
    emit(view, hasEnded(view) ? 'completed' : undefined);
    return leave;
  });
}

/** A connection that gave up comes back when somebody subscribes again, so that `retry` does what it says. */
export function comeBack(store: Store<ConnectionView>): void {
  if (hasFailed(store.getSnapshot())) store.reconnect();
}

const hasEnded = ({ connection, error }: ConnectionView): boolean => connection === 'closed' && !error;
const hasFailed = ({ connection, error }: ConnectionView): boolean => connection === 'closed' && error !== undefined;
