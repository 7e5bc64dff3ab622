/**
 * Around what holds streams back, such as a proxy that buffers: pages, until a stream comes through again. Loaded where it
 * is needed.
 */
import type { Carrier, FramesOptions, ServerFrame } from './frames.ts';
import { answers, readPages } from './pages.ts';
import { direct, type Stream, type Way } from './stream.ts';
import type { Transport } from './transport.ts';

/** A stream that is not live so soon, or rests for so long before it is, may be held back: as `Stream` has it. */
const HELD_MS = 3_000;
/** How long to wait before a stream is tried again: at first, and twice as long each time up to at most. */
const LOOK_MS = 5_000;
const MAX_LOOK_MS = 120_000;

/** Whether streams come through. */
interface Lookout {
  isHeld: boolean;
  /** When to try again, in milliseconds since 1970, and how long to wait after that. */
  lookAt: number;
  lookMs: number;
}

type Frames<Outcome> = AsyncGenerator<readonly ServerFrame[], Outcome, void>;

/**
 * Makes a way begin with pages, if one comes where a stream does not. All of its streams share what one of them found out.
 * If none comes, nothing holds the stream back: it is slow, or the server is away.
 */
export async function takeDetour(way: Way, stream: Stream, transport: Transport): Promise<void> {
  let answer = ASKED.get(way);
  if (!answer) {
    answer = answers(stream.url, transport)
      .then(yes, no)
      .finally(() => ASKED.delete(way));
    ASKED.set(way, answer);
  }
  if (!(await answer)) return;
  way.carrier ??= pagesOrStream();
  stream.takeWay();
}

/** One question at a time: of six connections that a browser has, many streams would take all. */
const ASKED = new WeakMap<Way, Promise<boolean>>();

function pagesOrStream(): Carrier {
  const out: Lookout = { isHeld: true, lookAt: Date.now() + LOOK_MS, lookMs: LOOK_MS };
  return async function* (url, options) {
    for (;;) {
      if (out.isHeld && (yield* poll(url, options, out)) === 'ended') return;
      if ((yield* streamUnlessHeld(url, options)) === 'ended') return;
      Object.assign(out, { isHeld: true, lookAt: Date.now() + out.lookMs });
    }
  };
}

/** Pages, until a stream comes through again or the log has ended. */
async function* poll(url: URL, options: FramesOptions, out: Lookout): Frames<'passes' | 'ended'> {
  const { own, leave } = leavable(options);
  const pages = readPages(url, own, true);
  let passes: Promise<'passes'> | undefined;
  try {
    for (;;) {
      const next = pages.next();
      const batch: Batch | 'passes' = await (passes ? Promise.race([next, passes]) : next);
      if (batch === 'passes') return batch;
      if (batch.done) return 'ended';
      options.onHeartbeat();
      // Far behind, a stream that comes through would be read in vain up to its end.
      if (isCaughtUp(batch.value)) passes ??= untilItPasses(url, own, out);
      yield batch.value;
      if (!out.isHeld) return 'passes';
    }
  } finally {
    leave();
    void pages.return();
  }
}

type Batch = IteratorResult<readonly ServerFrame[], void>;

async function* streamUnlessHeld(url: URL, options: FramesOptions): Frames<'held' | 'ended'> {
  const { own, leave } = leavable(options);
  const frames = direct(url, own);
  let isLive = false;
  try {
    for (;;) {
      const next = frames.next();
      const batch: Batch | 'held' = await (isLive ? next : unlessHeld(next, url, own));
      if (batch === 'held') return batch;
      if (batch.done) return 'ended';
      isLive ||= isCaughtUp(batch.value);
      yield batch.value;
    }
  } finally {
    leave();
    void frames.return();
  }
}

/** What comes, or `held` where a page comes first. */
async function unlessHeld<T>(next: Promise<T>, url: URL, options: FramesOptions): Promise<T | 'held'> {
  const { own, leave } = leavable(options);
  const held = (async () => {
    do await due(Date.now() + HELD_MS, own.signal);
    while (!(await answers(url, own).then(yes, no)));
    return 'held' as const;
  })();
  try {
    return await Promise.race([next, held]);
  } finally {
    leave();
  }
}

/** Tries now and then, more and more rarely; never resolves where the signal is aborted. */
async function untilItPasses(url: URL, options: FramesOptions, out: Lookout): Promise<'passes'> {
  while (out.isHeld) {
    await due(out.lookAt, options.signal);
    // Another stream of this client has tried.
    if (Date.now() < out.lookAt) continue;
    out.lookMs = Math.min(2 * out.lookMs, MAX_LOOK_MS);
    out.lookAt = Date.now() + out.lookMs;
    if (await comesThrough(url, options)) out.isHeld = false;
  }
  return 'passes';
}

/** A stream becomes live, or has ended, within the time in which one that is held does not. */
async function comesThrough(url: URL, options: FramesOptions): Promise<boolean> {
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(HELD_MS)]);
  try {
    for await (const frames of direct(url, { ...options, signal })) if (isCaughtUp(frames)) return true;
    return true;
  } catch {
    return false;
  }
}

/** The same options, under a signal that can be left before the connection's own is aborted. */
function leavable(options: FramesOptions) {
  const leaving = new AbortController();
  const signal = AbortSignal.any([options.signal, leaving.signal]);
  return { own: { ...options, signal }, leave: () => leaving.abort() };
}

/** Resolves at a time, and never once the signal is aborted. */
const due = (at: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return;
    const timer = setTimeout(resolve, Math.max(0, at - Date.now()));
    signal.addEventListener('abort', () => clearTimeout(timer));
  });

const isCaughtUp = (frames: readonly ServerFrame[]): boolean =>
  frames.some(({ event }) => event === 'stream.caught-up' || event === 'stream.bye');
const yes = (): boolean => true;
const no = (): boolean => false;
