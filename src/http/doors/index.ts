import { TelltaleError } from '../../protocol/index.ts';
import { agentActivity } from './agent-activity.ts';
import { chat } from './chat.ts';
import type { Door, DoorOptions } from './door.ts';
import { execution } from './execution.ts';
import { thinking } from './thinking.ts';
import { workflow } from './workflow.ts';

/** Every door there is. */
const DOORS = {
  'agent-activity': agentActivity,
  execution,
  chat,
  thinking,
  workflow,
} satisfies Record<string, Door>;

export type DoorName = keyof typeof DOORS;

/** Which doors are open: all that are not `false`. */
export type DoorChoices = { readonly [Name in DoorName]?: boolean | DoorOptions };

/** @throws {TelltaleError} `invalid_option` for a door that there is not. */
export function openDoors(choices: DoorChoices = {}): readonly (Door & { readonly options: DoorOptions })[] {
  const unknown = Object.keys(choices).find((name) => !Object.hasOwn(DOORS, name));
  if (unknown !== undefined) {
    const names = Object.keys(DOORS).join(', ');
    throw new TelltaleError('invalid_option', `doors: there is no ${JSON.stringify(unknown)}. There are ${names}.`);
  }
  return (Object.entries(DOORS) as [DoorName, Door][])
    .map(([name, door]) => ({ door, choice: choices[name] ?? true }))
    .filter(({ choice }) => choice !== false)
    .map(({ door, choice }) => ({ ...door, options: typeof choice === 'object' ? choice : {} }));
}
