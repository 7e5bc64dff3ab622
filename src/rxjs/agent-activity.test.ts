/** The service as an Angular component uses it, over the real door. */
import { EventSource as NodeEventSource } from 'eventsource';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../hub/recording.fixture.ts';
import { type Telltale, telltale } from '../index.ts';
import { faultyProxy } from '../testing/faulty-proxy.ts';
import { type AgentActivity, AgentActivityService } from './index.ts';

let app: Telltale;
let url: string;

beforeAll(async () => {
  app = telltale({ store: 'memory:' });
  app.agent('analyst', (run) => run.agent('Reader', () => Promise.reject(new Error('It broke'))));
  ({ url } = await app.listen(0));
});

afterAll(() => app.close());

const EventSource = NodeEventSource as unknown as typeof globalThis.EventSource;
const serviceAt = (at: string) => new AgentActivityService({ url: at, EventSource });
const emit = (sessionId: string, action: string) =>
  app.emitAgentActivity({ sessionId, agentName: 'Document Agent', action, status: 'in-progress' });

function latest(service: AgentActivityService) {
  const emitted: (readonly AgentActivity[])[] = [];
  service.getActivities().subscribe((activities) => emitted.push(activities));
  return { emitted, actions: () => emitted.at(-1)!.map(({ action }) => action) };
}

test('activities accumulate, from before the session was joined and over a cut, each once', async () => {
  const proxy = await faultyProxy(url, (n) => (n === 0 ? { cutAfter: 700 } : {}));
  await emit('s', 'first');
  const service = serviceAt(proxy.url);
  const { emitted, actions } = latest(service);
  expect(emitted).toEqual([[]]);
  await service.joinSession('s');
  expect(service.joinSession('s')).toBe(service.joinSession('s'));
  for (const action of ['second', 'third', 'fourth']) await emit('s', action);
  await until(() => actions().length === 4, 'all', 10_000);
  expect(actions()).toEqual(['first', 'second', 'third', 'fourth']);
  expect(proxy.connections).toBe(2);
  // Who subscribes late has all at once, and an array that was emitted is never changed.
  expect(latest(service).actions()).toEqual(actions());
  expect(emitted[0]).toEqual([]);
  service.leaveSession();
  await until(() => actions().length === 0);
  await proxy.close();
}, 20_000);

test('the status of each agent is its newest, and a run that fails is an activity', async () => {
  const service = serviceAt(url);
  const { emitted } = latest(service);
  let status: readonly AgentActivity[] = [];
  service.getStatus().subscribe((now) => {
    status = now;
  });
  await service.joinSession('fails');
  await (await app.start({ agent: 'analyst', threadId: 'fails' })).finished();
  await until(() => emitted.at(-1)!.length === 2);
  expect(emitted.at(-1)!.map((it) => [it.agent_name, it.action, it.status, it.details])).toEqual([
    ['analyst', 'Run', 'in-progress', undefined],
    ['analyst', 'Run', 'error', 'It broke'],
  ]);
  expect(status.map((it) => [it.agent_name, it.status, it.details])).toEqual([['Reader', 'error', 'It broke']]);
  service.leaveSession();
});

test('an activity that an agent calls a reset is one like any other', async () => {
  const service = serviceAt(url);
  const { actions } = latest(service);
  await service.joinSession('calm');
  await emit('calm', 'first');
  await app.emitAgentActivity({ sessionId: 'calm', agentName: 'A', action: 'second', status: 'reset' });
  await until(() => actions().length === 2);
  service.leaveSession();
});

test('joining another session leaves the one before; a session that is refused rejects', async () => {
  const service = serviceAt(url);
  const { actions } = latest(service);
  await emit('one', 'of one');
  await emit('two', 'of two');
  await service.joinSession('one');
  await until(() => actions().length === 1);
  await service.joinSession('two');
  await until(() => actions().join() === 'of two');
  await expect(service.joinSession('no id')).rejects.toMatchObject({ code: 'unreachable' });
  const left = service.joinSession('three');
  service.leaveSession();
  await expect(left).rejects.toMatchObject({ code: 'unreachable' });
});
