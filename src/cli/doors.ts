import type { DoorChoices } from '../index.ts';
import { usageError } from './command.ts';

export const DOORS_HELP = `  --door <name>=<agent> the agent that this door starts (default: the only one, or the analyst); =off closes the door
                        All are open: agent-activity, workflow, execution, chat, thinking. May be given several times;
                        or TELLTALE_DOORS, with commas
`;

/** Those at which runs are started. */
const STARTING = ['workflow', 'execution', 'chat', 'thinking'] as const;

/**
 * The doors as the command line, else the environment, wants them. Their names are checked by `telltale()`.
 *
 * @param agents names of those that are served.
 * @param usual what a door starts that nobody chose an agent for.
 * @throws {TelltaleError} `invalid_option` for what is no choice, and for an agent that is not served.
 */
export function doorsOf(
  given: readonly string[] | undefined,
  env: NodeJS.ProcessEnv,
  agents: readonly string[],
  usual?: string,
): DoorChoices {
  const choices = given ?? env.TELLTALE_DOORS?.split(',').filter((it) => it !== '') ?? [];
  const doors = choices.map((choice) => {
    const [, name, agent] = /^([^=]+)=(.+)$/.exec(choice.trim()) ?? [];
    if (name === undefined || agent === undefined) {
      throw usageError(`--door takes a door and an agent, as in chat=${agents[0]}, or chat=off; not ${choice}.`);
    }
    if (agent === 'off') return [name, false];
    if (agents.includes(agent)) return [name, { agent }];
    throw usageError(`--door ${choice}: no agent ${agent} is served. There are ${agents.join(', ')}.`);
  });
  const starting = usual === undefined ? [] : STARTING.map((name) => [name, { agent: usual }]);
  return Object.fromEntries([...starting, ...doors]) as DoorChoices;
}
