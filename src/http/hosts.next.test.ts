/** The same streams in a route handler of Next.js, built and started as users do. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { streamCases } from '../testing/stream.cases.ts';

const root = join(import.meta.dirname, '../..');
/** Where `npm test` installs it. */
const packages = join(root, 'node_modules/.runtimes/node_modules');

/** The route of the cases: short times, and a way to count viewers. The source runs as it stands, beside the bundle. */
const CASES = `
const shared = globalThis;
const load = () => import(/* turbopackIgnore: true */ ${JSON.stringify(join(import.meta.dirname, 'host.fixture.ts'))});
export const dynamic = 'force-dynamic';
async function answer(request) {
  shared.cases ??= load().then(({ mounted }) => mounted());
  const telltale = await shared.cases;
  const url = new URL(request.url);
  if (url.pathname === '/cases/viewers') return Response.json(telltale.hub.viewers);
  url.pathname = url.pathname.slice('/cases'.length);
  return telltale.fetch(new Request(url, request));
}
export { answer as GET, answer as HEAD, answer as POST };
`;
const LAYOUT = 'export default ({ children }) => children;';

describe.skipIf(!existsSync(join(packages, 'next')))('Next.js', () => {
  let dir: string;
  let server: ChildProcess;
  let url: string;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'telltale-next-'));
    const docs = await readFile(join(root, 'docs/hosts.md'), 'utf8');
    const files = [...docs.matchAll(/```ts\n\/\/ (\S+)\.ts\n([\s\S]*?)```/g)].map(([, path, text]) => [path!, text!]);
    expect(files.map(([path]) => path)).toEqual(['next.config', 'lib/telltale', 'app/telltale/[...path]/route']);
    for (const [path, text] of files) await write(`${path}.js`, stripTypeScriptTypes(text!));
    await write('app/cases/[...path]/route.js', CASES);
    await write('app/layout.js', LAYOUT);
    // The packages are outside of the folder.
    await write(
      'next.config.js',
      `${await readFile(join(dir, 'next.config.js'), 'utf8')}`.replace('{', "{ turbopack: { root: '/' },"),
    );
    await write('package.json', '{"private":true,"type":"module"}');
    await installPackages();

    const [built] = await once(next('build'), 'close');
    expect(built).toBe(0);
    server = next('start', '--port', '0', '--hostname', '127.0.0.1');
    for await (const line of createInterface(server.stdout!)) {
      url ??= /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0] as string;
      if (line.includes('Ready')) break;
    }
  }, 120_000);

  afterAll(async () => {
    // A build that failed has started none, and its own error is to be seen.
    if (server) {
      const closed = once(server, 'close');
      server.stdout!.resume();
      server.kill('SIGKILL');
      await closed;
    }
    await rm(dir, { recursive: true, force: true });
  });

  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  };

  /** Telltale lies in node_modules, as it does for users; `serverExternalPackages` looks there. */
  async function installPackages(): Promise<void> {
    const to = join(dir, 'node_modules');
    for (const part of ['package.json', 'dist']) {
      await cp(join(root, part), join(to, 'telltale', part), { recursive: true });
    }
    const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const links = Object.keys(dependencies).map((name) => [name, join(root, 'node_modules', name)] as const);
    for (const name of ['next', 'react', 'react-dom']) links.push([name, join(packages, name)]);
    for (const [name, target] of links) {
      await mkdir(dirname(join(to, name)), { recursive: true });
      await symlink(target, join(to, name));
    }
  }

  function next(...args: string[]): ChildProcess {
    const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' as const };
    const program = join(packages, 'next/dist/bin/next');
    return spawn(process.execPath, [program, ...args], { cwd: dir, env, stdio: ['ignore', 'pipe', 'inherit'] });
  }

  const viewers = async () => (await (await fetch(`${url}/cases/viewers`)).json()) as number;
  streamCases({
    test: it,
    skip: (name, why) => it.skip(`${name} (${why})`),
    host: () => ({ url: `${url}/cases`, fetch, viewers }),
  });

  it('runs the files of docs/hosts.md, with a store on disk', async () => {
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"agent":"a","mode":"remote","runId":"r"}',
    };
    expect((await fetch(`${url}/telltale/v1/runs`, init)).status).toBe(201);
    expect(await (await fetch(`${url}/telltale/readyz`)).json()).toEqual({ status: 'ok', durability: 'disk' });
    const stream = await fetch(`${url}/telltale/v1/runs/r/stream`);
    const end = { ...init, body: '{"events":[{"type":"run.completed","data":{}}]}' };
    expect((await fetch(`${url}/telltale/v1/runs/r/events`, end)).status).toBe(200);
    expect(await stream.text()).toMatch(/event: run\.started[\s\S]+event: run\.completed[\s\S]+event: stream\.bye/);
    expect(existsSync(join(dir, '.telltale'))).toBe(true);
  });
});
