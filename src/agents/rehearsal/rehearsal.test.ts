import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunSnapshot, type Telltale, telltale } from '../../index.ts';
import { Places } from '../places.fixture.ts';
import { rehearse } from './rehearsal.ts';

const places = new Places();
let app: Telltale;

beforeAll(() => {
  app = telltale({ store: 'memory:' });
  const workspace = places.docs();
  app.agent('rehearsal', (run, input) => rehearse(run, input, { workspace, pace: { stepMs: 50, wordMs: 0 } }));
});
afterAll(async () => {
  await app.close();
  places.remove();
});

/** Begins a rehearsal and says these to it; resolves with how it ended. */
async function rehearsed(...said: readonly unknown[]): Promise<RunSnapshot> {
  const { runId, finished } = await app.start({ agent: 'rehearsal', input: 'How many files are there?' });
  for (const input of said) {
    const init = { method: 'POST', body: JSON.stringify({ input }), headers: { 'content-type': 'application/json' } };
    const answer = await app.fetch(new Request(`http://localhost/v1/runs/${runId}/input`, init));
    expect(answer.status).toBe(202);
  }
  return finished();
}

const failures = ({ tools }: RunSnapshot): string[] =>
  tools.filter((it) => it.status === 'failed').map((it) => it.error?.code ?? '');

describe('the rehearsal', () => {
  test('counts what is there, says that nobody thought, and ends', async () => {
    const run = await rehearsed();
    expect(run).toMatchObject({ status: 'completed', errors: [], agents: [{}, {}, {}] });
    expect(run.steps.map((it) => it.status)).toEqual(['completed', 'completed', 'completed']);
    expect(run.tools.map((it) => it.name).sort()).toEqual(['list', 'read', 'read', 'read', 'statistics']);
    expect(run.output).toContain('no LLM');
    expect(run.output).toContain('**4 files**');
    expect(run.output).toContain('| `guide/fees.md` | 3 |');
    expect(run.messages.map((it) => it.text)).toEqual([run.output]);
    expect(run.output).not.toContain('failed');
  });

  test('a call of a tool fails where it is told to, as often as it is told, and is made again', async () => {
    const [once, twice] = await Promise.all([
      rehearsed({ break: 'tool' }),
      rehearsed({ break: 'tool' }, { break: 'tool' }),
    ]);
    expect([once.status, failures(once)]).toEqual(['completed', ['tool_failed']]);
    expect(once.output).toContain('1 call of tools failed because somebody asked for it');
    expect([twice.status, failures(twice)]).toEqual(['completed', ['tool_failed', 'tool_failed']]);
  });

  test('the agent throws where it is told to; what makes no sense is not heard', async () => {
    const run = await rehearsed('hello', null, { break: 'leg' }, { break: 'crash' });
    expect(run.status).toBe('failed');
    expect(run.error).toMatchObject({
      code: 'agent_failed',
      message: expect.stringContaining('somebody asked for it'),
    });
  });

  test('takes a text, and a cancel', async () => {
    const { finished } = await app.start({ agent: 'rehearsal', input: { question: 1 } });
    expect((await finished()).error?.message).toBe('The rehearsal takes a text.');
    const run = await app.start({ agent: 'rehearsal', input: 'x' });
    await app.fetch(new Request(`http://localhost/v1/runs/${run.runId}/cancel`, { method: 'POST' }));
    expect((await run.finished()).status).toBe('cancelled');
  });
});
