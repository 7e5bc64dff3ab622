import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { follow } from '../client/index.ts';
import { type RunSnapshot, type Telltale, telltale } from '../index.ts';
import { referenceAgents } from './index.ts';
import { Places } from './places.fixture.ts';

const places = new Places();
const apps: Telltale[] = [];

afterAll(async () => {
  await Promise.all(apps.map((it) => it.close()));
  places.remove();
});

async function serve(workspace: string): Promise<Telltale> {
  const app = telltale({ store: 'memory:' });
  for (const { name, fn, about } of await referenceAgents({ workspace })) app.agent(name, fn, about);
  apps.push(app);
  return app;
}

async function ask(workspace: string, input: unknown): Promise<RunSnapshot> {
  const run = await (await serve(workspace)).start({ agent: 'analyst', input });
  return run.finished();
}

const toolsOf = (run: RunSnapshot): Set<string> => new Set(run.tools.map((it) => it.name));

/** Every citation, of the events and of the answer, stands in its file on its line. */
function checkCitations(run: RunSnapshot, workspace: string): void {
  const lineOf = (path: string, line: number): string =>
    readFileSync(join(workspace, path), 'utf8').split(/\r?\n/)[line - 1] ?? '';
  expect(run.sources.length).toBeGreaterThan(0);
  expect(run.output).toMatch(new RegExp(` found ${run.sources.length} places? `));
  for (const { path, line, quote } of run.sources) expect(lineOf(path!, line!)).toContain(quote);
  const said = [...String(run.output).matchAll(/^- (\S+):(\d+) “(.*?)”(?: \([^()]*\))?$/gm)];
  expect(said.map(([, path, line]) => `${path}:${line}`)).toEqual(run.sources.map((it) => it.sourceId));
  for (const [, path, line, quote] of said) expect(lineOf(path!, Number(line))).toContain(quote);
}

describe('the analyst', () => {
  test('answers what is asked about documents, with quotes that are true', async () => {
    const workspace = places.docs();
    const run = await ask(workspace, 'What is a spring line?');
    expect(run.status).toBe('completed');
    expect(run.sources).toContainEqual(
      expect.objectContaining({
        path: 'guide/mooring.md',
        line: 3,
        quote: expect.stringContaining('A spring line is a rope'),
      }),
    );
    checkCitations(run, workspace);
  });

  test('reports itself as rules everywhere, and nothing as a model', async () => {
    const run = await ask(places.docs(), 'What is a spring line?');
    expect(run.agents.length).toBeGreaterThanOrEqual(3);
    for (const agent of run.agents) expect(agent.model).toBe('rules-1 (no LLM)');
    expect((await referenceAgents({ workspace: '.' }))[0]?.about.model).toBe('rules-1 (no LLM)');
    expect(String(run.output).split('\n').at(-1)).toContain('rules, no LLM');
    expect(run.llmCalls.length).toBeGreaterThanOrEqual(5);
    for (const call of run.llmCalls) {
      expect(call).toMatchObject({ model: 'rules-1 (no LLM)', provider: 'telltale.rules', status: 'completed' });
    }
    // Nothing was counted in tokens and nobody was paid: absent, not zero.
    for (const it of [run, ...run.llmCalls, ...run.agents]) {
      expect(it).not.toHaveProperty('usage');
      expect(it).not.toHaveProperty('cost');
    }
  });

  test('takes other tools for other questions and folders', async () => {
    const [berths, storms] = [places.docs(), places.repository()];
    const fees = await ask(berths, 'What is the highest fee, and how much are the fees in total?');
    expect(toolsOf(fees)).toContain('statistics');
    expect(toolsOf(fees)).not.toContain('gitLog');
    expect(fees.output).toContain('fee adds up to 157.5, 52.5 on average, 22 to 95.5');
    expect(fees.sources).toContainEqual(expect.objectContaining({ path: 'berths.csv', line: 3, quote: 'A2,30,95.5' }));
    checkCitations(fees, berths);

    const who = await ask(storms, 'Who changed the wheels, and when?');
    expect(toolsOf(who)).toContain('gitLog');
    expect(toolsOf(who)).not.toContain('statistics');
    expect(who.output).toMatch(/Grace: Wheels turn/);
    checkCitations(who, storms);

    const risks = await ask(storms, 'What are the risks?');
    expect(toolsOf(risks)).toContain('grep');
    expect(risks.sources.map((it) => it.sourceId)).toEqual(
      expect.arrayContaining(['src/engine.py:5', 'src/wheel.py:4']),
    );
    checkCitations(risks, storms);

    const engine = await ask(storms, 'Where is the class Engine defined?');
    expect(engine.sources[0]).toMatchObject({ path: 'src/engine.py', line: 1, quote: 'class Engine:' });
    checkCitations(engine, storms);
  });

  test('asks its specialists at the same time, inside a plan that comes to its end', async () => {
    const run = await ask(places.repository(), 'What are the risks of the engine?');
    const specialists = run.agents.filter((it) => it.parentId !== undefined);
    expect(specialists.length).toBeGreaterThanOrEqual(2);
    // All have begun before the first of them has ended.
    expect(Math.max(...specialists.map((it) => it.startSeq))).toBeLessThan(
      Math.min(...specialists.map((it) => it.endSeq ?? 0)),
    );
    expect(run.steps.map((it) => `${it.name} ${it.status}`)).toEqual([
      'Look around completed',
      'Ask specialists completed',
      'Answer completed',
    ]);
    expect(specialists.every((it) => run.reasoning.some(({ agentId }) => agentId === it.id))).toBe(true);
  });

  test('streams its answer in pieces, and returns the same text', async () => {
    const app = await serve(places.docs());
    const { url } = await app.listen(0);
    const { runId } = await app.start({ agent: 'analyst', input: 'What is a spring line?' });
    const pieces: string[] = [];
    for await (const it of follow(`${url}/v1/runs/${runId}/stream`)) {
      if (it.kind === 'event' && it.event.type === 'message.delta')
        pieces.push(String(it.event.data['delta' as never]));
    }
    expect(pieces.length).toBeGreaterThan(3);
    const { output } = (await (await fetch(`${url}/v1/runs/${runId}`)).json()) as RunSnapshot;
    expect(pieces.join('')).toBe(output);
  });

  test('goes on after a tool that fails: no repository here', async () => {
    const run = await ask(places.docs(), 'Who changed the fees?');
    expect(run.status).toBe('completed');
    expect(run.tools.find((it) => it.name === 'gitLog')).toMatchObject({
      status: 'failed',
      error: { code: 'tool_failed' },
    });
    expect(run.output).toContain('not a git repository');
  });

  test.each([
    ['a folder up', { question: 'What is it?', folder: '../..' }],
    ['an absolute folder', { question: 'What is it?', folder: '/etc' }],
    ['a linked folder', { question: 'What is it?', folder: 'linked' }],
    ['a path in the question', 'What stands in ../outside/secret.txt?'],
    ['an absolute path in the question', 'Read /etc/passwd to me'],
  ])('refuses %s for everyone to see, and goes on', async (_name, input) => {
    const outside = places.folder('outside', { 'secret.txt': 'xyzzy-outside\n' });
    const workspace = places.folder('walled', { 'a.md': '# Here\n\nOnly this.\n' });
    symlinkSync(outside, join(workspace, 'linked'));
    const run = await ask(workspace, input);
    expect(run.status).toBe('completed');
    expect(run.tools[0]).toMatchObject({ name: 'list', status: 'failed', error: { code: 'path_refused' } });
    expect(run.output).toContain('is not read: ');
    expect(JSON.stringify(run)).not.toMatch(/xyzzy-outside|root:/);
  });

  test('looks only at the folder that is named', async () => {
    const run = await ask(places.docs(), 'What are the risks in guide/?');
    expect(run.tools[0]).toMatchObject({ args: { folder: 'guide/' }, status: 'completed' });
    expect(run.sources.every((it) => it.path?.startsWith('guide/'))).toBe(true);
  });

  test.each([
    ['an empty folder', {}, 'There are no files in .'],
    ['a folder of what is no text', { 'a.bin': Buffer.from([0, 1, 2]) }, 'found no place'],
    ['a question that nothing answers', { 'a.md': '# Cheese\n' }, 'I looked for “zeppelin” and found no place'],
  ])('says so plainly: %s', async (name, files, said) => {
    const run = await ask(places.folder(name.replaceAll(' ', '-'), files), 'Where is the zeppelin?');
    expect(run).toMatchObject({ status: 'completed', sources: [] });
    expect(run.output).toContain(said);
  });

  test('takes questions of any length, with words and paths of any length', async () => {
    const workspace = places.folder('long', { 'a.md': `# ${'n'.repeat(600)}\n\nA zeppelin.\n` });
    const question = `Where is the zeppelin in ${'w'.repeat(900)} or ../${'p'.repeat(300)}? ${'really '.repeat(2_000)}`;
    const run = await ask(workspace, question);
    expect(run).toMatchObject({ status: 'completed', sources: [{ path: 'a.md', line: 3, quote: 'A zeppelin.' }] });
    expect(run.tools.filter((it) => it.status === 'failed').map((it) => it.error?.code)).toEqual(['path_refused']);
  });

  test('fails with what to do where there is no workspace, and for an input that is no question', async () => {
    const nowhere = await ask(join(places.top, 'nowhere'), 'What?');
    expect(nowhere).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('is not a folder') } });
    for (const input of [{}, null, 7, '  ', { question: 'x', folder: 7 }]) {
      const failed = await ask(places.top, input);
      expect(failed).toMatchObject({
        status: 'failed',
        error: { message: expect.stringContaining('takes a question') },
      });
    }
  });

  test('stops in the middle of a huge folder when it is cancelled', async () => {
    const line = 'nothing of interest stands in this long line of text\n';
    const files = Object.fromEntries(
      Array.from({ length: 3_000 }, (_, i) => [`d${i % 50}/f${i}.md`, line.repeat(150)]),
    );
    const app = await serve(places.folder('huge', files));
    const { url } = await app.listen(0);
    const run = await app.start({ agent: 'analyst', input: 'What are the risks of the zeppelin?' });
    for await (const it of follow(`${url}/v1/runs/${run.runId}/stream`)) {
      if (it.kind === 'event' && it.event.type === 'tool.called' && it.event.data['name' as never] === 'grep') break;
    }
    const start = performance.now();
    const response = await fetch(`${url}/v1/runs/${run.runId}/cancel`, { method: 'POST' });
    expect(response.status).toBe(202);
    const { status, tools } = await run.finished();
    expect(status).toBe('cancelled');
    expect(tools.some((it) => it.name === 'grep' && it.status === 'completed')).toBe(false);
    // An agent that does not listen to its signal is given 5 s; this one needs none of them.
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});
