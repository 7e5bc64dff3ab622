/** The server's process is killed while people watch, and started again: what they saw stays, and goes on by itself. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, Producer } from 'telltale/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { executablePath, Stage } from '../console.fixture.ts';

/** A server on a directory and a port, which tells its address. */
const SERVER = `
import { telltale } from 'telltale';
const [data, port] = process.argv.slice(1);
const { url } = await telltale({ store: data }).listen(Number(port));
console.log(url);
`;

describe.skipIf(!executablePath)('SIGKILL of the server while people watch', () => {
  let stage: Stage;
  let dir: string;
  let server: ChildProcess;
  beforeAll(async () => {
    stage = await Stage.open();
    dir = await mkdtemp(join(tmpdir(), 'telltale-console-'));
  });
  afterAll(async () => {
    await stage.close();
    server.kill('SIGKILL');
    await rm(dir, { recursive: true, force: true });
  });

  async function start(port = '0'): Promise<string> {
    const args = [
      '--conditions=telltale-source',
      '--input-type=module',
      '--eval',
      SERVER,
      '--',
      join(dir, 'data'),
      port,
    ];
    server = spawn(process.execPath, args, { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] });
    const [url] = await once(server.stdout as NodeJS.ReadableStream, 'data');
    return String(url).trim();
  }

  test('a run and the list stay, say what happens, and are live again by themselves, with nothing twice or lost', async () => {
    const url = await start();
    const client = createClient({ url });
    const { runId } = await client.start({ agent: 'writer', mode: 'remote' });
    const producer = new Producer(`${url}/v1/runs/${runId}/events`);
    let count = 0;
    const write = async (to: number): Promise<void> => {
      for (; count < to; count++) {
        await producer.send({ type: 'activity.reported', data: { action: `number ${count}`, status: 'done' } });
      }
      await producer.flush();
    };
    await write(20);
    const [run, list] = [await stage.visit(`${url}/runs/${runId}`, { height: 3_000 }), await stage.visit(url)];
    for (const { page } of [run, list]) page.setDefaultTimeout(20_000);
    const sentence = run.page.locator('.run-sentence [data-slot=connection-status]');
    const numbers = () => run.page.locator('.story [data-slot=row-name]').allTextContents();
    const expected = () => Array.from({ length: count }, (_, i) => `number ${i}`);
    await sentence.getByText(/Live · 21 events/).waitFor();
    await list.page.getByText('Live list').waitFor();
    await list.page.getByRole('cell', { name: '21', exact: true }).waitFor();

    for (const more of process.env.TELLTALE_LONG ? [10, 10, 10] : [10]) {
      const closed = once(server, 'close');
      server.kill('SIGKILL');
      await closed;
      const before = count;
      // Written while nobody is there to take it: it comes when somebody is.
      const written = write(count + more);
      await sentence.getByText(/Connection lost .* The run continues\./).waitFor();
      await list.page.getByText('Connection lost.').waitFor();
      expect((await numbers()).length).toBe(before);
      expect(await list.page.getByRole('row').count()).toBe(2);
      await start(new URL(url).port);
      await written;
      await sentence.getByText(`Live · ${count + 1} events`).waitFor();
      await expect.poll(numbers).toEqual(expected());
      await list.page.getByText('Live list').waitFor();
      await list.page.getByRole('cell', { name: String(count + 1), exact: true }).waitFor();
    }
    const { events } = await client.snapshot(runId);
    expect(events).toBe(count + 1);
    await producer.close();
    expect([run.problems, list.problems]).toEqual([[], []]);
  });
});
