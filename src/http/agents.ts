import { Hono } from 'hono';
import { AgentList } from './answers.ts';
import type { RouteContext } from './context.ts';
import type { Operations } from './openapi/operation.ts';
import { readQuery } from './query.ts';
import { NoQuery } from './schemas.ts';

/** What can be started here. */
export function agentRoutes({ runs }: RouteContext): Hono {
  const app = new Hono();
  app.get('/v1/agents', (c) => {
    readQuery(c, NoQuery);
    const agents = [...runs.agents.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    // Their limits and functions are the server's own business.
    return c.json({ agents: agents.map(({ name, description, model }) => ({ name, description, model })) });
  });
  return app;
}

export const agentOperations: Operations = {
  'GET /v1/agents': {
    id: 'listAgents',
    group: 'Runs',
    needs: 'read',
    summary: 'The agents that can be started',
    description:
      'Those that are registered here, by name. Remote runs may have any other name: what fills them is elsewhere.',
    answers: {
      200: {
        description: 'All of them.',
        json: AgentList,
        example: {
          agents: [
            {
              name: 'analyst',
              description: 'Answers questions about the files of a folder',
              model: 'rules-1 (no LLM)',
            },
            { name: 'greeter' },
          ],
        },
      },
    },
    refuses: [],
    examples: [{}],
  },
};
