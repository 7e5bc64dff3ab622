import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AgentFunction } from '../index.ts';
import { usageError } from './command.ts';

/**
 * The agents of a user's module: the functions of its default export, else its exports that are functions, by name.
 *
 * @throws {TelltaleError} `invalid_option` saying what is wrong with the file.
 */
export async function loadAgents(path: string): Promise<[name: string, fn: AgentFunction][]> {
  const file = resolve(path);
  const isFile = await stat(file).then(
    (it) => it.isFile(),
    () => false,
  );
  if (!isFile) throw usageError(`${path} is not a file. Name an ES module that exports your agents.`);
  const module = await import(pathToFileURL(file).href).catch((error: unknown) => {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw usageError(`${path} could not be loaded.\n${why}`);
  });
  const { default: record, ...named } = module as Record<string, unknown>;
  const source = typeof record === 'object' && record !== null ? record : named;
  const agents = Object.entries(source).filter((it): it is [string, AgentFunction] => typeof it[1] === 'function');
  if (agents.length === 0) {
    throw usageError(
      `${path} exports no agents. Write, for example: export default { greeter: async (run, input) => run.say(\`Hello \${input}\`) };`,
    );
  }
  return agents;
}
