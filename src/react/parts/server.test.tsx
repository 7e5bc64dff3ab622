import { renderToString } from 'react-dom/server';
import { expect, test } from 'vitest';
import { openMemory } from '../../log/memory.ts';
import { emptySnapshot, reduceAll, type TelltaleEvent } from '../../protocol/index.ts';
import { TelltaleProvider } from '../index.ts';
import { Answer, BudgetMeter, ConnectionStatus, Plan, Thinking, Timeline } from './index.ts';
import { everything } from './scene.fixture.ts';

test('a server renders every part from a snapshot, twice the same: no clock, no page', async () => {
  const log = openMemory();
  await everything(log);
  const { blocks } = await log.read('r', 0, Number.POSITIVE_INFINITY);
  const events = blocks.flatMap((block) =>
    Array.from(
      { length: block.last - block.first + 1 },
      (_, i) => JSON.parse(new TextDecoder().decode(block.json(block.first + i))) as TelltaleEvent,
    ),
  );
  await log.close();
  const of = { runId: 'r', initialSnapshot: reduceAll(emptySnapshot('r'), events) };
  const render = (): string =>
    renderToString(
      <TelltaleProvider url="/">
        <ConnectionStatus.Root {...of} />
        <Plan.Root {...of} />
        <BudgetMeter.Root {...of} />
        <Thinking.Root {...of} />
        <Answer.Root {...of} />
        <Timeline.Root {...of} />
      </TelltaleProvider>,
    );
  const html = render();
  expect(html).toBe(render());
  for (const text of ['Find the risks', 'Thinking finished · 8 s', 'The second refund', 'looked into the archive']) {
    expect(html).toContain(text);
  }
  // React writes what could be markup as text.
  expect(html).not.toContain('<img');
});
