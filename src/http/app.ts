import { type Context, Hono } from 'hono';
import { TelltaleError } from '../protocol/index.ts';
import { Access, guard } from './access/index.ts';
import { agentOperations, agentRoutes } from './agents.ts';
import { commandOperations, commandRoutes } from './commands.ts';
import { builtConsole, consoleOperations, consoleRoutes } from './console/index.ts';
import type { AppContext, RouteContext } from './context.ts';
import { openDoors } from './doors/index.ts';
import { eventOperations, eventRoutes } from './events.ts';
import { healthOperations, healthRoutes } from './health.ts';
import { importOperations, importRoutes } from './import.ts';
import type { Operation, Operations } from './openapi/operation.ts';
import { openapiOperations, openapiRoutes } from './openapi.ts';
import { checkOrigin } from './origin.ts';
import { peopleOperations, peopleRoutes } from './people.ts';
import { refusalOf } from './problem.ts';
import { wantsStream } from './run-list.ts';
import { runOperations, runRoutes } from './runs.ts';
import { streamOperations, streamRoutes, tellFault } from './stream.ts';
import { threadOperations, threadRoutes } from './threads.ts';
import { whoamiOperations, whoamiRoutes } from './whoami.ts';

/** What GET /openapi.json says of every route but those of the console and doors: as many as there are, or its test fails. */
const OPERATIONS: Operations = {
  ...agentOperations,
  ...runOperations,
  ...commandOperations,
  ...peopleOperations,
  ...importOperations,
  ...eventOperations,
  ...streamOperations,
  ...threadOperations,
  ...whoamiOperations,
  ...healthOperations,
  ...openapiOperations,
};

/** The whole HTTP interface (PROTOCOL.md section 8) over one log. */
export function createApp(parts: AppContext): Hono {
  const app = new Hono();
  const access = new Access(parts.log, parts.auth);
  const context: RouteContext = { ...parts, access };

  app.use(async (c, next) => {
    context.hub.flushIfLate();
    // Without these an answer could be taken for a page or a script, or be shown from a cache as if it were still so.
    c.header('x-content-type-options', 'nosniff');
    c.header('cross-origin-resource-policy', 'same-origin');
    c.header('cache-control', 'no-store');
    await next();
  });
  const doors = openDoors(context.doors);
  const usesCookie = context.auth?.usesCookie === true;
  app.use(checkOrigin({ ...context, usesCookie, cors: doors.flatMap(({ cors }) => cors ?? []) }));
  app.use(async (c, next) => {
    checkEncoding(c.req.url);
    await next();
  });
  const files = context.console ?? builtConsole;
  const operations: Operations = Object.assign(
    { ...OPERATIONS, ...(files && consoleOperations) },
    ...doors.map((door) => door.operations),
  );
  app.use(
    guard(operations, access, (c, error, operation) => {
      if (isStream(c, operation)) return tellFault(c, error, context.onError);
      throw error;
    }),
  );

  const groups = [
    agentRoutes,
    runRoutes,
    commandRoutes,
    peopleRoutes,
    importRoutes,
    eventRoutes,
    threadRoutes,
    streamRoutes,
    whoamiRoutes,
    healthRoutes,
  ].map((routes) => routes(context));
  if (files) groups.push(consoleRoutes(files));
  groups.push(...doors.map(({ routes, options }) => routes(context, options)));
  groups.push(openapiRoutes(operations, Object.assign({}, ...doors.map(({ schemas }) => schemas))));
  for (const group of groups) app.route('/', group);

  const addresses = groups.flatMap((group) =>
    group.routes.map(({ method, path }) => ({ method, path: matcher(path) })),
  );
  app.notFound((c) => {
    const methods = new Set(addresses.filter(({ path }) => path.test(c.req.path)).map(({ method }) => method));
    if (methods.size === 0) {
      throw new TelltaleError(
        'not_found',
        'There is nothing here. GET /docs shows every address, as PROTOCOL.md section 8 does.',
      );
    }
    const allow = [...methods, ...(methods.has('GET') ? ['HEAD'] : [])].sort();
    throw new TelltaleError('method_not_allowed', `This address takes ${allow.join(', ')}.`, { allow });
  });
  app.onError((error, c) => {
    const { status, headers, body } = refusalOf(error, c.req, context.onError);
    return c.body(body, status as 400, { ...headers });
  });
  return app;
}

/** Whether a request that goes well is answered with a stream. */
function isStream(c: Context, { answers }: Operation): boolean {
  const { frames, json } = answers[200] ?? {};
  return frames !== undefined && (json === undefined || wantsStream(c));
}

/** The addresses of a route such as `/v1/runs/:runId`. */
const matcher = (path: string): RegExp => new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`);

/** A router that guesses what `%zz` or half a character means may look up another id than the one that was checked. */
function checkEncoding(url: string): void {
  try {
    decodeURIComponent(url);
  } catch (cause) {
    throw new TelltaleError(
      'invalid_request',
      'The address has a "%" that encodes nothing. Write it as %25.',
      {},
      { cause },
    );
  }
}
