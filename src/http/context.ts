import type { Hub } from '../hub/index.ts';
import type { Log } from '../log/index.ts';
import type { Limits } from '../protocol/index.ts';
import type { Runs } from '../runs/index.ts';
import type { Access, Auth } from './access/index.ts';
import type { ConsoleFiles } from './console/index.ts';
import type { DoorChoices } from './doors/index.ts';

/** What an app is made of. */
export interface AppContext {
  readonly log: Log;
  readonly hub: Hub;
  readonly runs: Runs;
  readonly limits: Limits;
  /** Names beside the loopback ones that a request's `Host` may have, without port. */
  readonly allowedHosts: readonly string[];
  /** Other origins whose pages may use the server, for example `https://app.example`. */
  readonly allowedOrigins: readonly string[];
  /** Which doors are open; all by default. */
  readonly doors?: DoorChoices;
  /** The console; the one that was built with this package by default, `false` for none. */
  readonly console?: ConsoleFiles | false;
  readonly onError: ErrorReport;
  /** Who asks is found out by it; without it everybody may do everything. */
  readonly auth?: Auth | undefined;
  /** Milliseconds for which an endless request may send no byte; 60,000 by default. */
  readonly ingestIdleMs?: number;
}

/** What the routes work with. */
export interface RouteContext extends AppContext {
  readonly access: Access;
}

/** Where an error happened. `errorId` is all that the client was told of one that nobody expected. */
export interface ErrorPlace {
  readonly errorId: string;
  readonly method: string;
  readonly path: string;
}

/** Told of every error that is the server's fault (5xx), with everything that the answer left out. */
export type ErrorReport = (error: unknown, place: ErrorPlace) => void;
