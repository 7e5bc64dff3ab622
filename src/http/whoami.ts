import { Hono } from 'hono';
import { Caller } from './answers.ts';
import type { RouteContext } from './context.ts';
import type { Operations } from './openapi/operation.ts';
import { readQuery } from './query.ts';
import { NoQuery } from './schemas.ts';

/** For pages: whether to ask for a key, whether it is good, and what may be done with it. */
export function whoamiRoutes({ access }: RouteContext): Hono {
  const app = new Hono();
  app.get('/v1/whoami', async (c) => {
    readQuery(c, NoQuery);
    const principal = await access.caller(c);
    if (!principal) return c.json({ authentication: access.isGuarded });
    const { userId, tenantId, scopes } = principal;
    return c.json({ authentication: true, principal: { userId, tenantId, scopes } });
  });
  return app;
}

export const whoamiOperations: Operations = {
  'GET /v1/whoami': {
    id: 'whoAmI',
    group: 'Server',
    needs: 'nothing',
    summary: 'Who you are to this server',
    description:
      'Whether it has authentication, and whom your credential makes you. Tells nobody of anybody else. One that is not good is refused as everywhere.',
    answers: {
      200: {
        description: 'You, where you said so.',
        json: Caller,
        example: { authentication: true, principal: { userId: 'ann', tenantId: 'acme', scopes: ['read', 'start'] } },
      },
    },
    refuses: ['unauthorized', 'auth_unavailable'],
    examples: [{}],
  },
};
