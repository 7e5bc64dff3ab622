import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { accessOf } from './auth.ts';
import { endAll, runOnce, startServer } from './process.fixture.ts';

let root: string;
let keys: string;
let agents: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'telltale-cli-auth-'));
  keys = join(root, 'keys.json');
  agents = join(root, 'agents.mjs');
  writeFileSync(agents, "export default { quick: async (run, input) => run.say('You said ' + input + '.') };");
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
afterEach(endAll);

test('a key that "telltale key" prints opens a server that every address reaches; without it nobody is let in', async () => {
  const made = await runOnce(['key', '--user', 'worker', '--scope', 'start,read']);
  const [key = '', entry = ''] = made.stdout.split('\n');
  expect([made.code, made.stderr, entry]).toEqual([0, '', expect.not.stringContaining(key)]);
  writeFileSync(keys, `[${entry}]`);
  const env = { TELLTALE_KEYS: keys, TELLTALE_HOST: '0.0.0.0', TELLTALE_ALLOW_HOST: 'telltale.example' };
  const { port } = await startServer([agents, '--port', '0', '--data', 'memory:'], env);
  const url = `http://127.0.0.1:${port}`;
  const refused = await runOnce(['run', 'quick', 'hello', '--url', url]);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('Set TELLTALE_TOKEN')]);
  const run = await runOnce(['run', 'quick', 'hello', '--url', url], { TELLTALE_TOKEN: key });
  expect([run.code, run.stdout]).toEqual([0, expect.stringContaining('You said hello.')]);
});

test('without authentication an address that others reach is refused, and told what to do', async () => {
  const { code, stderr } = await runOnce(['serve', agents, '--host', '0.0.0.0', '--port', '0', '--data', 'memory:']);
  expect([code, stderr]).toEqual([1, expect.stringContaining('it has no authentication')]);
});

describe('the settings of a container', () => {
  const JWKS = { TELLTALE_JWKS_URL: 'https://id.example/jwks' };
  const WHOLE = { ...JWKS, TELLTALE_ISSUER: 'https://id.example/', TELLTALE_AUDIENCE: 'telltale' };

  test('are read from the environment; a flag counts more', () => {
    const env = {
      ...WHOLE,
      TELLTALE_ALGORITHMS: 'ES256, RS256',
      TELLTALE_COOKIE: 'session',
      TELLTALE_ALLOW_HOST: 'a,b',
    };
    expect(accessOf({ audience: 'other' }, env)).toEqual({
      auth: {
        jwt: {
          jwksUrl: 'https://id.example/jwks',
          issuer: 'https://id.example/',
          audience: 'other',
          algorithms: ['ES256', 'RS256'],
          cookie: 'session',
        },
      },
      allowedHosts: ['a', 'b'],
      allowedOrigins: [],
    });
    expect(accessOf({}, { TELLTALE_JWKS_URL: '' })).toEqual({ allowedHosts: [], allowedOrigins: [] });
  });

  test.each<[object, string]>([
    [
      { TELLTALE_ISSUER: 'x' },
      '--issuer (TELLTALE_ISSUER) is about tokens, and --jwks-url (TELLTALE_JWKS_URL) is missing',
    ],
    [{ TELLTALE_COOKIE: 'x', TELLTALE_KEYS: 'k' }, '--cookie (TELLTALE_COOKIE) is about tokens'],
    [JWKS, '--issuer (TELLTALE_ISSUER) is missing'],
    [{ ...WHOLE, TELLTALE_AUDIENCE: undefined }, '--audience (TELLTALE_AUDIENCE) is missing'],
    [{ TELLTALE_KEYS: '/nowhere/keys.json' }, 'cannot be read: ENOENT'],
  ])('that are half of something are refused: %j', (env, message) => {
    expect(() => accessOf({}, env as Record<string, string>)).toThrow(message);
  });

  test.each([
    ['{"secret": tt_x', 'it is not valid JSON.'],
    ['{}', 'a JSON list'],
    ['[]', 'a JSON list'],
  ])('a file of keys with %s is refused, and not repeated', (content, message) => {
    writeFileSync(keys, content);
    expect(() => accessOf({ keys }, {})).toThrow(message);
    expect(() => accessOf({ keys }, {})).not.toThrow('tt_x');
  });

  test.each([
    [['--scope', 'read'], '--user has to be'],
    [['--user', 'a'], '--scope: "" is none of'],
    [['--user', 'a', '--scope', 'reed'], '--scope: "reed" is none of'],
    [['--user', 'a', '--scope', 'read', 'more'], 'no arguments'],
  ])('telltale key %j says what is wrong', async (args, message) => {
    expect(await runOnce(['key', ...args])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(message),
    });
  });
});
