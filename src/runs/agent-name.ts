import { TelltaleError } from '../protocol/index.ts';

/** @throws {TelltaleError} `invalid_option` for a name that is taken, or not 1 to 256 characters. */
export function checkAgentName(name: string, taken: ReadonlyMap<string, unknown>): void {
  if (name.length >= 1 && name.length <= 256 && !taken.has(name)) return;
  throw new TelltaleError(
    'invalid_option',
    `agent: ${JSON.stringify(name.slice(0, 64))} is taken, or not 1 to 256 characters. Choose another name.`,
  );
}
