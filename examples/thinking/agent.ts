/** Triage over change requests: it asks those whose question it is, and each of them uses tools of its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type AgentFunction, agentMiddleware, functionMiddleware } from 'telltale';
import { aiSdk } from 'telltale/ai-sdk';
import { type Model, RULES } from '../model.ts';
import { wordsOf } from '../words.ts';
import { type Change, conflictsOf, isOpen, name } from './changes.ts';

interface Desk {
  /** Words of questions that are its own. */
  readonly words: readonly string[];
  /** What it finds, a line each. */
  readonly ask: () => Promise<string[]>;
}

/** None of these functions is handed a run: what they do is told to the conversation they are called in. */
export function opsOf(changes: readonly Change[], model?: Model): AgentFunction {
  const open = changes.filter(isOpen);

  const listChangeRequests = functionMiddleware('list_change_requests', async ({ state }: { state: string }) => {
    await leisurely();
    return open.filter((it) => it.state === state);
  });
  const findConflicts = functionMiddleware('find_conflicts', async (numbers: readonly string[]) => {
    await leisurely();
    return conflictsOf(open.filter(({ number }) => numbers.includes(number)));
  });
  const checkBackout = functionMiddleware('check_backout_plans', async ({ risk }: { risk: string }) => {
    await leisurely();
    return open.filter((it) => it.risk === risk && it.backout !== 'yes');
  });

  const serviceDesk = agentMiddleware('Service Desk', async () =>
    (await listChangeRequests({ state: 'awaiting approval' })).map(
      (it) => `${name(it)} waits for approval and begins ${when(it.start)}.`,
    ),
  );
  const calendar = agentMiddleware('Calendar', async () =>
    (await findConflicts(open.map(({ number }) => number))).map(
      ([one, other]) => `${name(one)} and ${name(other)} change ${one.service} at the same time.`,
    ),
  );
  const risk = agentMiddleware('Risk', async () =>
    (await checkBackout({ risk: 'high' })).map((it) => `${name(it)} is of high risk and has no plan to back it out.`),
  );

  const desks: readonly Desk[] = [
    { words: ['approval', 'approvals', 'approve', 'wait', 'waits', 'waiting', 'pending'], ask: serviceDesk },
    { words: ['conflict', 'conflicts', 'overlap', 'overlaps', 'clash', 'collide', 'time'], ask: calendar },
    { words: ['risk', 'risks', 'risky', 'dangerous', 'backout', 'rollback'], ask: risk },
  ];

  const triage = agentMiddleware('Triage', async (question: string): Promise<string> => {
    const words = new Set(wordsOf(question));
    const own = desks.filter((it) => it.words.some((word) => words.has(word)));
    const found: string[] = [];
    // A question of no one’s is everybody’s.
    for (const { ask } of own.length > 0 ? own : desks) found.push(...(await ask()));
    if (model) return answer(model, question, found);
    const list = found.length > 0 ? found.map((it) => `• ${it}`).join('\n') : 'Nothing that needs attention.';
    return `${list}\n\nOf ${open.length} open change requests. By ${RULES}.`;
  });

  return (_run, question) => triage(String(question));
}

const when = (time: string): string => time.replace('T', ' at ');

/** As a service elsewhere would be, so that there is something to see. */
const leisurely = (): Promise<void> => sleep(400);

/** With a model; `aiSdk()` tells of it as of every agent. */
async function answer({ model }: Model, question: string, facts: readonly string[]): Promise<string> {
  const { generateText } = await import('ai');
  const { text } = await generateText({
    model,
    instructions: `You triage change requests for an operations team, briefly and from these facts alone:\n${facts.join('\n')}`,
    prompt: question,
    telemetry: { functionId: 'Writer', integrations: aiSdk() },
  });
  return text;
}
