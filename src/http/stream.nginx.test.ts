/** Behind nginx as it is installed, with `proxy_buffering` on (its default). */
import { expect, test } from 'vitest';
import { append, custom, END, START } from '../hub/drafts.fixture.ts';
import { RecordedViewer, until } from '../hub/recording.fixture.ts';
import { startNginx } from './nginx.fixture.ts';
import { find } from './programs.fixture.ts';
import { streamServer } from './stream.fixture.ts';
import { connectOnce } from './stream-client.fixture.ts';

test('the first frames, each event and the heartbeats pass at once through a buffering nginx (P5)', async (context) => {
  const program = find('nginx');
  if (!program) return context.skip('nginx is not installed');
  const server = await streamServer({ heartbeatMs: 100 });
  await append(server.log, 'r', [START]);
  const nginx = await startNginx(
    program,
    (port) => `listen 127.0.0.1:${port}; location / { proxy_pass ${server.url}; }`,
  );
  try {
    const url = `http://127.0.0.1:${nginx.port}`;
    const viewer = new RecordedViewer('v');
    const watching = connectOnce(viewer, `${url}/v1/runs/r/stream`);
    await until(() => viewer.events.length === 1, 'the first event', 2000);
    await append(server.log, 'r', [custom(1)]);
    await until(() => viewer.events.length === 2, 'the next event', 2000);
    await until(() => viewer.comments.filter((it) => it.startsWith('heartbeat')).length >= 3, 'heartbeats', 2000);
    await append(server.log, 'r', [END]);
    await watching;
    expect(viewer.ended).toBe(true);
    expect(await connectOnce(viewer, `${url}/v1/runs/r/stream`)).toBe(204);
  } finally {
    await nginx.stop();
    await server.close();
  }
});
