import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { telltale } from './index.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'telltale-index-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const memory = () => telltale({ store: 'memory:' });

describe('a run in this process', () => {
  test('is told to its end', async () => {
    const app = memory();
    app.agent('greeter', async (run, name: string) => {
      await run.say(`Hello ${name}.`);
      return name.length;
    });
    const run = await app.start({
      agent: 'greeter',
      input: 'Ada',
      runId: 'r',
      threadId: 't',
      metadata: { by: 'test' },
    });
    expect(run).toMatchObject({ runId: 'r', threadId: 't' });
    const snapshot = await run.finished();
    expect(snapshot).toMatchObject({ status: 'completed', output: 3, messages: [{ text: 'Hello Ada.' }] });
    // And again, now that it is over.
    expect(await run.finished()).toEqual(snapshot);
    await app.close();
  });

  test('that fails is finished too', async () => {
    const app = memory();
    app.agent('broken', () => {
      throw new Error('no');
    });
    const run = await app.start({ agent: 'broken' });
    expect(await run.finished()).toMatchObject({ status: 'failed', error: { code: 'agent_failed' } });
    await app.close();
  });

  test('of an agent that was registered later, also over HTTP', async () => {
    const app = memory();
    const { url } = await app.listen(0);
    app.agent('late', () => 'here');
    const [run] = await Promise.all([app.start({ agent: 'late' })]);
    expect(await run.finished()).toMatchObject({ output: 'here' });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${url}/v1/runs`, { method: 'POST', headers, body: '{"agent":"late"}' });
    expect(answer.status).toBe(201);
    await app.close();
  });

  test('ends as executor_lost when everything is closed under it', async () => {
    const app = telltale({ store: dir });
    app.agent('endless', (run) => new Promise((resolve) => run.signal.addEventListener('abort', resolve)));
    await app.start({ agent: 'endless', runId: 'cut' });
    await app.close();
    const again = telltale({ store: dir });
    expect(await (await again.log()).runs.get('cut')).toMatchObject({ status: 'failed' });
    await again.close();
  });

  test('P10: ends as executor_lost where the process was killed, before anybody can look at it', async () => {
    const program = `
      import { telltale } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))};
      const app = telltale({ store: '.' });
      app.agent('endless', () => new Promise(() => setInterval(() => {}, 1000)));
      await app.start({ agent: 'endless', runId: 'killed' });
      console.log('started');
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { cwd: dir });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'close');

    const app = telltale({ store: dir });
    const { url } = await app.listen(0);
    const snapshot = await (await fetch(`${url}/v1/runs/killed`)).json();
    expect(snapshot).toMatchObject({ status: 'failed', error: { code: 'executor_lost' } });
    await app.close();
  });
});

describe('what cannot be', () => {
  test.each(['redis://localhost', 'sqlite:x', 'memory:x', 'http://x', 'file:', 'file://host/x', ''])(
    'store %j is refused at once, with what to write instead',
    (store) => {
      expect(() => telltale({ store })).toThrow(
        expect.objectContaining({ code: 'invalid_option', message: expect.stringContaining('"memory:"') }),
      );
    },
  );

  test('an agent without a name, or with one that is taken, is refused', () => {
    const app = memory();
    app.agent('a', () => {});
    for (const name of ['', 'a', 'x'.repeat(257)]) {
      expect(() => app.agent(name, () => {})).toThrow(expect.objectContaining({ code: 'invalid_option' }));
    }
    app.agent('__proto__', () => {});
  });

  test('an agent nobody registered cannot be started', async () => {
    const app = memory();
    await expect(app.start({ agent: 'nobody' })).rejects.toMatchObject({ code: 'agent_not_found' });
    await app.close();
  });

  test('a directory that another Telltale uses is told as such, and works once that is closed', async () => {
    const first = telltale({ store: dir });
    await first.log();
    const second = telltale({ store: `file:${dir}` });
    await expect(second.listen(0)).rejects.toMatchObject({ code: 'store_locked' });
    await first.close();
    await expect(second.listen(0)).resolves.toMatchObject({ url: expect.any(String) });
    await second.close();
  });
});

describe('closing', () => {
  test('frees everything that listens, may be repeated, and is for good', async () => {
    const app = memory();
    app.agent('a', () => {});
    const servers = await Promise.all([app.listen(0), app.listen(0)]);
    await Promise.all([app.close(), app.close()]);
    await app.close();
    for (const { url } of servers) await expect(fetch(`${url}/healthz`)).rejects.toThrow();
    await expect(app.start({ agent: 'a' })).rejects.toMatchObject({ code: 'log_closed' });
    await expect(app.listen(0)).rejects.toMatchObject({ code: 'log_closed' });
    await expect(app.log()).rejects.toMatchObject({ code: 'log_closed' });
  });

  test('waits for a server that is just beginning to listen', async () => {
    const app = memory();
    const starting = app.listen(0);
    await app.close();
    await expect(fetch(`${(await starting).url}/healthz`)).rejects.toThrow();
  });

  test('one server leaves the others open', async () => {
    const app = memory();
    const [one, other] = await Promise.all([app.listen(0), app.listen(0)]);
    await one.close();
    expect((await fetch(`${other.url}/healthz`)).status).toBe(200);
    await app.close();
  });
});

describe('laziness', () => {
  test('nothing is opened before it is needed', async () => {
    const store = join(dir, 'data');
    const app = telltale({ store });
    app.agent('a', () => {});
    expect(existsSync(store)).toBe(false);
    await app.close();
    expect(existsSync(store)).toBe(false);
  });

  test.each([
    ['memory:', false],
    ['file:.', true],
  ])('with the store %s, classic-level is loaded: %s', async (store, loaded) => {
    const program = `
      import { createRequire } from 'node:module';
      import { telltale } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))};
      const app = telltale({ store: ${JSON.stringify(store)} });
      await (await app.listen(0)).close();
      await app.close();
      console.log(Object.keys(createRequire(import.meta.url).cache).some((it) => it.includes('classic-level')));
    `;
    const args = ['--conditions=telltale-source', '--input-type=module', '-e', program];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: dir });
    expect(stdout.trim()).toBe(String(loaded));
  });
});
