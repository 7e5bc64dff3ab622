import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bundle } from '../../client/bundle.fixture.ts';
import { type AgentEventName, type AgentState, hear, INITIAL, watching } from './agent-state.ts';

const timestamp = '2026-11-20T18:00:00.000Z';
let seq = 0;
const told = (state: AgentState, name: AgentEventName, data: object = {}): AgentState =>
  hear(state, name, { executionId: 'x', timestamp, ...data }, `e1.${++seq}`);
const begun = told(watching(INITIAL, 'x'), 'execution:started', { task: 'Build', startedAt: timestamp });
const phases = ({ currentExecution }: AgentState) =>
  currentExecution.plan?.phases.map(({ name, status }) => `${name} ${status}`);

describe('what a page knows of its execution', () => {
  test('is nothing of what another one tells', () => {
    expect(told(begun, 'thinking', { executionId: 'y', thought: 'mine' })).toBe(begun);
    expect(told(INITIAL, 'execution:started')).toBe(INITIAL);
  });

  test('is kept where it is watched again, and forgotten where it starts anew or another one is watched', () => {
    const thought = told(begun, 'thinking', { thought: 'So', iteration: 1 });
    expect(watching(thought, 'x')).toBe(thought);
    expect(told(thought, 'execution:started', { task: '', reset: 'trimmed' })).toMatchObject({
      currentExecution: { id: 'x', task: 'Build', status: 'running' },
      thinkingSteps: [],
    });
    expect(watching(thought, 'y', 'Next')).toEqual({
      ...{ currentExecution: { id: 'y', task: 'Next', status: 'running' }, thinkingSteps: [] },
      ...{ isExecuting: true, error: null },
    });
  });

  test('is how far each phase is, also when the plan changes, and of one that nobody planned', () => {
    const goal = 'A page';
    const one = { id: '1', name: 'One' };
    const two = { id: '2', name: 'Two' };
    let state = told(begun, 'plan:created', { plan: { goal, phases: [one, two] } });
    state = told(state, 'phase:start', { phaseId: '1', phaseName: 'One', phaseIndex: 0 });
    state = told(state, 'phase:complete', { phaseId: '1', phaseName: 'One', result: 1 });
    state = told(state, 'plan:created', { plan: { goal, phases: [two, one] } });
    state = told(state, 'phase:start', { phaseId: '3', phaseName: 'Three', phaseIndex: 2 });
    expect(phases(state)).toEqual(['Two pending', 'One completed', 'Three running']);
    state = told(state, 'phase:complete', { phaseId: '3', phaseName: 'Three', error: 'It broke' });
    expect(phases(state)?.[2]).toBe('Three failed');
    expect(phases(told(begun, 'phase:start', { phaseId: '1', phaseName: 'One' }))).toEqual(['One running']);
  });

  test('is its result, or why there is none', () => {
    const done = told(begun, 'execution:complete', { result: 1, duration: 2, tokensUsed: 3 });
    expect(done).toMatchObject({
      isExecuting: false,
      error: null,
      currentExecution: { status: 'completed', result: 1 },
    });
    const failed = told(begun, 'execution:error', { error: 'It broke', code: 'agent_failed', stack: '' });
    expect(failed).toMatchObject({ isExecuting: false, error: 'It broke', currentExecution: { error: 'It broke' } });
  });

  test('is at most its newest 1,000 steps, each with an id of its own', () => {
    let state = begun;
    for (let i = 1; i <= 1_005; i++) state = told(state, 'thinking', { thought: `${i}`, iteration: i });
    expect([state.thinkingSteps.length, state.thinkingSteps[0]?.content]).toEqual([1_000, '6']);
    expect(new Set(state.thinkingSteps.map(({ id }) => id)).size).toBe(1_000);
  });
});

test('the hooks add to a page what docs/doors/execution.md says, and bring no other module of ours', async () => {
  const docs = readFileSync(new URL('../../../docs/doors/execution.md', import.meta.url), 'utf8');
  const stated = Number(/add ([\d,]+) bytes/.exec(docs)?.[1]?.replace(',', ''));
  const external = { build: { rolldownOptions: { external: ['react'] } } };
  const { gzip, modules } = await bundle(`export * from '../react/execution/index.ts';`, external);
  expect(gzip).toBeLessThanOrEqual(stated);
  expect(gzip).toBeGreaterThan(stated / 1.1);
  expect(modules.filter((it) => !/^src\/(react\/execution|client|protocol)\//.test(it))).toEqual([]);
});
