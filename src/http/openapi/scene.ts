import type { Example } from './operation.ts';

/**
 * What the examples speak of, by route: the requests that make it on a server that has none of it. The runs `first`, of
 * the thread `talk`, and `old`, which have ended, and the open remote run `job`, which asks whether to `deploy`.
 */
export const SCENE: readonly (readonly [path: string, example: Example])[] = [
  ['/v1/runs', { body: { agent: 'greeter', mode: 'remote', runId: 'first', threadId: 'talk' } }],
  [
    '/v1/runs/{runId}/events',
    { path: { runId: 'first' }, body: { events: [{ type: 'run.completed', data: { output: 'Hello Ada.' } }] } },
  ],
  ['/v1/runs', { body: { agent: 'greeter', mode: 'remote', runId: 'old' } }],
  ['/v1/runs/{runId}/events', { path: { runId: 'old' }, body: { events: [{ type: 'run.completed', data: {} }] } }],
  ['/v1/runs', { body: { agent: 'worker', mode: 'remote', runId: 'job' } }],
  [
    '/v1/runs/{runId}/events',
    {
      path: { runId: 'job' },
      body: { events: [{ type: 'approval.requested', data: { approvalId: 'deploy', prompt: 'Deploy it now?' } }] },
    },
  ],
];
