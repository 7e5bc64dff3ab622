import { afterAll, expect, test } from 'vitest';
import { createClient } from '../client/index.ts';
import { telltale } from '../index.ts';

const app = telltale({ store: 'memory:' });
app.agent('writer', () => 'done', { description: 'Writes a page', model: 'claude-sonnet-5', concurrency: 2 });
app.agent('analyst', () => 'done', { description: 'Reads files', model: 'rules-1 (no LLM)', budget: { maxCost: 1 } });
const { url } = await app.listen(0);

afterAll(() => app.close());

test('agents are listed by name, with what is said of them and nothing else (P8)', async () => {
  app.agent('Bare', () => 'done');
  expect(await (await fetch(`${url}/v1/agents`)).json()).toEqual({
    agents: [
      { name: 'Bare' },
      { name: 'analyst', description: 'Reads files', model: 'rules-1 (no LLM)' },
      { name: 'writer', description: 'Writes a page', model: 'claude-sonnet-5' },
    ],
  });
});

test('one that is registered while the server runs is listed, and can be started', async () => {
  app.agent('zed', () => 'done');
  const client = createClient({ url });
  const last = (await client.agents()).at(-1);
  expect(last).toEqual({ name: 'zed' });
  expect(await client.start({ agent: last!.name })).toMatchObject({ status: 'running' });
  client.close();
});

test('what only somebody else’s producer fills is not among them', async () => {
  await app.start({ agent: 'remote one', mode: 'remote' });
  expect(await (await fetch(`${url}/v1/agents`)).text()).not.toContain('remote one');
});
