import { renderToString } from 'react-dom/server';
import { expect, test } from 'vitest';
import { openMemory } from '../../log/memory.ts';
import { emptySnapshot, type RunSnapshot, reduceAll, type TelltaleEvent } from '../../protocol/index.ts';
import { TelltaleProvider } from '../index.ts';
import { Answer, ApprovalCard, BudgetMeter, Commands, ConnectionStatus, Plan, Thinking, Timeline } from './index.ts';
import { everything, people } from './scene.fixture.ts';

/** The fold of a scene. */
async function snapshotOf(scene: typeof everything): Promise<RunSnapshot> {
  const log = openMemory();
  await scene(log);
  const { blocks } = await log.read('r', 0, Number.POSITIVE_INFINITY);
  const events = blocks.flatMap((block) =>
    Array.from(
      { length: block.last - block.first + 1 },
      (_, i) => JSON.parse(new TextDecoder().decode(block.json(block.first + i))) as TelltaleEvent,
    ),
  );
  await log.close();
  return reduceAll(emptySnapshot('r'), events);
}

test('a server renders every part from a snapshot, twice the same: no clock, no page', async () => {
  const of = { runId: 'r', initialSnapshot: await snapshotOf(everything) };
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

test('a server renders what people were asked and asked for; of the time that is left it knows nothing', async () => {
  const of = { runId: 'r', initialSnapshot: await snapshotOf(people) };
  const render = (): string =>
    renderToString(
      <TelltaleProvider url="/">
        <Commands.Root {...of} />
        <BudgetMeter.Root {...of} />
        {of.initialSnapshot.approvals.map(({ id }) => (
          <ApprovalCard.Root key={id} {...of} approvalId={id} />
        ))}
      </TelltaleProvider>,
    );
  const html = render();
  expect(html).toBe(render());
  for (const text of ['Pause asked for by kim.', 'Answered by dana: Approve', 'waiting for a decision', 'neither']) {
    expect(html).toContain(text);
  }
  for (const text of ['left to answer', '<time', '<img']) expect(html).not.toContain(text);
});
