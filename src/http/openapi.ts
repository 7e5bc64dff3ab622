import { Hono } from 'hono';
import type { z } from 'zod';
import { OpenApi } from './answers.ts';
import { buildDocument } from './openapi/build.ts';
import type { OpenApiDocument } from './openapi/document.ts';
import type { Operations } from './openapi/operation.ts';
import { docsPage, STYLE_POLICY } from './openapi/page.ts';
import { readQuery } from './query.ts';
import { NoQuery } from './schemas.ts';

const POLICY = `default-src 'none'; ${STYLE_POLICY}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/**
 * What the server says of its own routes: as OpenAPI, and as a page. Built when it is first asked for. `schemas`: those
 * that operations name beside the exports of schemas.ts and answers.ts.
 */
export function openapiRoutes(operations: Operations, schemas: Readonly<Record<string, z.ZodType>>): Hono {
  const app = new Hono();
  let built: { document: OpenApiDocument; json: string } | undefined;
  const build = () => {
    if (!built) {
      const document = buildDocument(operations, schemas);
      built = { document, json: JSON.stringify(document) };
    }
    return built;
  };

  app.get('/openapi.json', (c) => {
    readQuery(c, NoQuery);
    return c.body(build().json, 200, { 'content-type': 'application/json' });
  });

  app.get('/docs', async (c) => {
    readQuery(c, NoQuery);
    c.header('content-security-policy', POLICY);
    return c.html(await docsPage(build().document, new URL(c.req.url).origin));
  });

  return app;
}

export const openapiOperations: Operations = {
  'GET /openapi.json': {
    id: 'getOpenApi',
    group: 'Server',
    needs: 'nothing',
    summary: 'This interface as OpenAPI 3.1',
    description: 'The document that the page at `/docs` shows.',
    answers: { 200: { description: 'An OpenAPI 3.1 document.', json: OpenApi } },
    refuses: [],
    examples: [{}],
  },
  'GET /docs': {
    id: 'getDocs',
    group: 'Server',
    needs: 'nothing',
    summary: 'This interface as a page',
    description: 'Every route with its parameters, answers, schemas and a curl line. It loads nothing else.',
    answers: { 200: { description: 'A page.', html: true } },
    refuses: [],
    examples: [{}],
  },
};
