import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Contender, Server } from '../contenders/index.ts';
import { LOAD_CORE, SERVER_CORE, TooSlow } from './child.ts';
import type { Load, Producers, Seen, Traffic, Viewers } from './load.ts';
import { coreSeconds, cpuSeconds } from './proc.ts';

/** Steady traffic of one shape, offered to one contender. */
export interface Offer {
  readonly runs: number;
  readonly viewersPerRun: number;
  /** Events per second, of all runs together. */
  readonly rate: number;
  /** Of the window that is measured; `warmS` before it are not. */
  readonly seconds: number;
  readonly warmS: number;
  /** How long viewers may take, when the traffic has ended, until they have everything. */
  readonly drainS: number;
}

/** What came of it, in one repetition. */
export interface Outcome {
  readonly contender: string;
  readonly rep: number;
  readonly offer: Offer;
  /** Deliveries (an event to a viewer) per second, and their share of what was offered. */
  readonly delivered: number;
  readonly share: number;
  /** Microseconds of the server's processor time per delivery, what the intake costs included. */
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** On the wire, of everything that viewers received. */
  readonly bytesPerEvent: number;
  readonly eventsPerFrame: number;
  readonly gaps: number;
  readonly repeats: number;
  /** Events that a viewer still lacked after `drainS`, of the one that lacked most. */
  readonly missing: number;
  /** Shares of a core: the server's of its own, the load programs' of theirs, and of both cores what others took. */
  readonly serverShare: number;
  readonly loadShare: number;
  readonly foreignShare: number;
}

/** Events that can be merged in no view, so that each is sent and checked alone. */
const ALONE = { before: '{"type":"custom","data":{"name":"tick","value":"', after: '"}}' };
/** A word of an answer. */
export const DELTA = { before: '{"type":"message.delta","data":{"messageId":"m1","delta":"', after: '"}}' };

/** The traffic goes on a little longer than the window, so that its end does not show in it. */
const AFTER_S = 0.2;
const POLL_MS = 50;

export function trafficOf(server: Server, runs: number, rate: number, events: number, shape = ALONE): Traffic {
  const paths = Array.from({ length: runs }, (_, run) => server.intake.path(run));
  return { port: server.port, mode: server.intake.mode, paths, rate, events, ...shape };
}

/** Runs a contender in a folder of its own, and leaves nothing behind. */
export async function withServer<T>(load: Load, contender: Contender, use: (server: Server) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(load.folder, 'server-'));
  let server: Server | undefined;
  try {
    server = await contender.start(load, folder);
    return await use(server);
  } finally {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

export function offer(load: Load, contender: Contender, rep: number, offered: Offer): Promise<Outcome> {
  return withServer(load, contender, async (server) => {
    const { runs, viewersPerRun, rate, seconds, warmS, drainS } = offered;
    await server.open(runs);
    const perRun = Math.ceil((rate * (warmS + seconds + AFTER_S)) / runs);
    const views = Array.from({ length: runs }, (_, run) => server.viewPath(run));
    const viewers = await load.watch(server.port, runs * viewersPerRun, views);
    const producers = await load.publish(trafficOf(server, runs, rate, perRun * runs));
    try {
      producers.go();
      await sleep(warmS * 1000);
      const window = measure(server, viewers, producers);
      await sleep(seconds * 1000);
      const seen = await window.end();
      const last = await drained(server, viewers, producers, perRun, drainS);
      const offeredRate = rate * viewersPerRun;
      return {
        contender: contender.name,
        rep,
        offer: offered,
        delivered: (seen.events / seen.elapsedUs) * 1e6,
        share: seen.events / ((offeredRate * seen.elapsedUs) / 1e6),
        cpuUs: (seen.serverS * 1e6) / seen.events,
        p50Ms: seen.events > 0 ? seen.latency.p50 / 1000 : Number.NaN,
        p99Ms: seen.events > 0 ? seen.latency.p99 / 1000 : Number.NaN,
        bytesPerEvent: seen.bytes / seen.events,
        eventsPerFrame: seen.events / seen.frames,
        gaps: last.gaps,
        repeats: last.repeats,
        missing: perRun - last.lowest,
        serverShare: seen.serverS / seen.wallS,
        loadShare: seen.loadS / seen.wallS,
        foreignShare: seen.foreignS / seen.wallS,
      };
    } finally {
      await Promise.all([producers.stop(), viewers.stop()]);
    }
  });
}

/** Processor times from now to `end`, and what the viewers saw in between. */
function measure(server: Server, viewers: Viewers, producers: Producers) {
  const sample = () => ({
    wallS: performance.now() / 1000,
    serverS: cpuSeconds(server.pid),
    loadS: cpuSeconds(viewers.pid) + cpuSeconds(producers.pid),
    coresS: coreSeconds(SERVER_CORE) + coreSeconds(LOAD_CORE),
  });
  const before = sample();
  viewers.reset();
  return {
    async end(): Promise<Seen & { wallS: number; serverS: number; loadS: number; foreignS: number }> {
      const seen = await viewers.report();
      const after = sample();
      const serverS = after.serverS - before.serverS;
      const loadS = after.loadS - before.loadS;
      const foreignS = Math.max(0, after.coresS - before.coresS - serverS - loadS);
      return { ...seen, wallS: after.wallS - before.wallS, serverS, loadS, foreignS };
    },
  };
}

/** Waits until every viewer has every event, or the time is over. */
async function drained(
  { intake }: Server,
  viewers: Viewers,
  producers: Producers,
  last: number,
  seconds: number,
): Promise<Seen> {
  const deadline = performance.now() + seconds * 1000;
  const publishing = producers.done(seconds * 1000).catch((error: Error) => error);
  let seen = await viewers.report();
  for (; seen.lowest < last && performance.now() < deadline; seen = await viewers.report()) await sleep(POLL_MS);
  const published = await publishing;
  // One that is merely late is what is measured; what a server refuses, or does not acknowledge, must be told.
  if (published instanceof TooSlow) return seen;
  if (published instanceof Error) throw published;
  const { sent, acknowledged } = published;
  if (intake.acknowledges && sent !== acknowledged) throw new Error(`${acknowledged} of ${sent} were acknowledged.`);
  return seen;
}
