/** What stands beside a route for people and generators: GET /openapi.json and GET /docs are made of it. */
import { z } from 'zod';
import type { ErrorCode } from '../../protocol/index.ts';
import type { Scope } from '../access/principal.ts';

/** By method and path, as PROTOCOL.md section 8 writes them: `GET /v1/runs/{runId}`. */
export type Operations = Readonly<Record<string, Operation>>;

/** One route. A test sends its examples to a real server and holds the answers against what is said here. */
export interface Operation {
  /** What a generated client calls the function. */
  readonly id: string;
  readonly group: Group;
  /** Half a line, without a full stop. */
  readonly summary: string;
  /** In sentences; code in backticks. */
  readonly description: string;
  readonly needs: Need;
  /** The schema that checks the query string. */
  readonly query?: z.ZodObject;
  /** Request headers by name. */
  readonly headers?: z.ZodObject;
  readonly body?: Content & { readonly optional?: true };
  readonly answers: Readonly<Record<number, Answer>>;
  /** Beside what every route refuses (`COMMON` in describe.ts). */
  readonly refuses: readonly ErrorCode[];
  readonly examples: readonly Example[];
}

/**
 * What whoever asks has to have on a server with authentication: a scope (docs/auth.md). `nothing`: it is for everybody.
 * What `{runId}` and `{threadId}` of the path name has to be his, too; a path that calls them otherwise says how.
 *
 * @example
 * needs: { scope: 'read', run: 'taskId' }
 */
export type Need = 'nothing' | Scope | { readonly scope: Scope; readonly run?: string; readonly thread?: string };

/** In the order in which they are shown. */
export type Group = 'Runs' | 'Events' | 'Streams' | 'Threads' | 'Doors' | 'Server';

/** A body in the forms in which it may come. Schemas are exports of schemas.ts and answers.ts, whose names they keep. */
export interface Content {
  readonly json?: z.ZodType;
  /** NDJSON: what each line is. */
  readonly lines?: z.ZodType;
  /** Server-Sent Events: what `data` of each frame is, by the frame's name; `*` for all others. */
  readonly frames?: Readonly<Record<string, z.ZodType>>;
  readonly html?: true;
  /** Other media types, of which it has one. */
  readonly media?: readonly string[];
}

export interface Answer extends Content {
  readonly description: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of the JSON, or the text of a stream. */
  readonly example?: unknown;
}

/**
 * A request that goes well, on a server with the agent `greeter`, the runs `first`, of the thread `talk`, and `old`, which
 * have ended, and the open remote run `job`, which asks whether to `deploy`. The page shows how to make them (scene.ts).
 */
export interface Example {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: object;
  /** Sent as NDJSON. */
  readonly lines?: readonly object[];
}

/** Where a stream goes on. */
export const ResumeHeaders = z.object({
  'Last-Event-ID': z.string().exactOptional().describe('Go on after this cursor; wins over `after`. Browsers send it.'),
});
