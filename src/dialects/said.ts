import { writeFrame } from '../protocol/index.ts';

/** A frame as a dialect says it. */
export interface Said {
  /** The name of the event; absent means `message`. */
  readonly event?: string;
  /** Written as JSON; a text as it is, on one line. */
  readonly data: Readonly<Record<string, unknown>> | string;
}

/** With `asMessages` there is no `event:` line, and the name stands in `data` as `type`, unless that has one. */
export function writeSaid({ event, data }: Said, id: string | undefined, asMessages: boolean): string {
  const named = !asMessages || event === undefined || typeof data === 'string' ? data : { type: event, ...data };
  return writeFrame({
    ...(id !== undefined && { id }),
    ...(event !== undefined && !asMessages && { event }),
    data: typeof named === 'string' ? named.replace(/[\r\n]+/g, ' ').toWellFormed() : JSON.stringify(named),
  });
}
