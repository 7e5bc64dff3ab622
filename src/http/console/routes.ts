import { type Context, Hono } from 'hono';
import { etag } from 'hono/etag';
import { parseAccept } from 'hono/utils/accept';
import { TelltaleError } from '../../protocol/index.ts';
import type { Operation, Operations } from '../openapi/operation.ts';
import { readQuery } from '../query.ts';
import { NoQuery } from '../schemas.ts';
import type { Asset, ConsoleFiles, Root, Sent } from './files.ts';
import { POLICY } from './policy.ts';

/** Where the page is: one, whatever the address, which the page reads for itself, its query too. */
const PAGES: Readonly<Record<string, Root>> = {
  '/': './',
  '/runs/:runId': '../',
  '/chat': './',
  '/chat/:threadId': '../',
};

/** The console: the same for everybody, it holds nothing of any run. What it shows it asks for as every client does. */
export function consoleRoutes(files: ConsoleFiles): Hono {
  const app = new Hono();
  for (const [path, root] of Object.entries(PAGES)) {
    app.get(path, etag(), async (c) => {
      const slashed = path === '/' ? withSlash(c) : undefined;
      if (slashed !== undefined) return c.redirect(slashed, 308);
      const { pages } = await files.read();
      return answer(c, pages[root], { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' });
    });
  }
  app.get('/assets/:name', etag(), async (c) => {
    readQuery(c, NoQuery);
    const { assets } = await files.read();
    const name = c.req.param('name');
    const asset = assets.get(name);
    if (!asset) {
      const detail = 'The console has no such file. It may be of another version: load its page again.';
      throw new TelltaleError('not_found', detail);
    }
    const [sent, coding] = chosen(asset, c.req.header('accept-encoding'));
    c.header('vary', 'Accept-Encoding', { append: true });
    return answer(c, sent, {
      'content-type': asset.type,
      'cache-control': asset.isHashed ? 'public, max-age=31536000, immutable' : 'no-cache',
      ...(coding && { 'content-encoding': coding }),
    });
  });
  return app;
}

const answer = (c: Context, { bytes, etag }: Sent, headers: Record<string, string>): Response =>
  c.body(bytes, 200, { ...POLICY, ...headers, etag });

/** The smallest that the client takes (RFC 9110 section 12.5.3). */
function chosen(asset: Asset, accepted: string | undefined): [sent: Sent, coding?: 'br' | 'gzip'] {
  const given = parseAccept(accepted ?? '');
  const weight = (coding: string) => given.find(({ type }) => type.toLowerCase() === coding)?.q;
  const takes = (coding: string) => (weight(coding) ?? weight('*') ?? 0) > 0;
  if (asset.br && takes('br')) return [asset.br, 'br'];
  if (asset.gzip && takes('gzip')) return [asset.gzip, 'gzip'];
  return [asset];
}

/**
 * `./telltale/` where a host such as Express, which has taken the mount off the address, was asked for `/telltale`: from
 * there the page's relative addresses would lead past the mount. Relative, so that it leads nowhere else; beginning with
 * `./`, so that no name is taken for a scheme.
 */
function withSlash(c: Context): string | undefined {
  const { originalUrl } = (c.env as { incoming?: { originalUrl?: string } } | undefined)?.incoming ?? {};
  const [, name, query = ''] = /^\/(?:[^?]*\/)?([^/?]+)(\?.*)?$/.exec(originalUrl ?? '') ?? [];
  return name === undefined ? undefined : `./${name}/${query}`;
}

const page = (id: string, summary: string, path: Record<string, string> = {}): Operation => ({
  ...{ id, group: 'Server', needs: 'nothing', summary },
  description:
    'The console, in a browser: the same page at each of its addresses, relative to the path on which the server is mounted. It holds nothing of any run, and asks for what it shows as every client does. `--no-console` leaves it out.',
  answers: {
    200: { description: 'The page.', headers: { ETag: 'Of its content.' }, html: true },
    304: { description: 'It is the one of `If-None-Match`.' },
    308: { description: 'At `/` only: the mount was asked for without the slash at its end.' },
  },
  refuses: ['not_found'],
  examples: [{ path }],
});

export const consoleOperations: Operations = {
  'GET /': page('getConsole', 'The console: all runs'),
  'GET /runs/{runId}': page('getRunPage', 'The console: one run', { runId: 'first' }),
  'GET /chat': page('getChatPage', 'The console: a new conversation'),
  'GET /chat/{threadId}': page('getThreadPage', 'The console: a conversation', { threadId: 'talk' }),
  'GET /assets/{name}': {
    id: 'getConsoleFile',
    group: 'Server',
    needs: 'nothing',
    summary: 'A file of the console',
    description:
      'Scripts, styles, fonts and pictures, compressed where the client takes that. A name with a hash never changes its content.',
    answers: {
      200: {
        description: 'The file.',
        headers: { ETag: 'Of its content, in this coding.', Vary: 'With `Accept-Encoding`.' },
        media: ['text/javascript', 'text/css', 'image/svg+xml', 'image/png', 'font/woff2'],
      },
      304: { description: 'It is the one of `If-None-Match`.' },
    },
    refuses: ['not_found'],
    examples: [{ path: { name: 'icon.svg' } }],
  },
};
