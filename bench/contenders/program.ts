import { join } from 'node:path';
import { Child, SERVER_CORE } from '../measure/child.ts';
import { type Contender, portIn } from './contender.ts';

/** A contender that is a program of its own, which prints its address and takes events and viewers of a run at `/<run>`. */
export function program(
  name: string,
  keeps: Contender['keeps'],
  command: (compiled: (name: string) => string) => readonly string[],
): Contender {
  return {
    name,
    keeps,
    async start(load) {
      const [file = '', ...args] = command((it) => load.program(it));
      const child = new Child(file, args, { core: SERVER_CORE });
      return {
        pid: child.pid,
        port: portIn(await child.line(/127\.0\.0\.1/)),
        open: async () => {},
        viewPath: (run) => `/${run}`,
        intake: { mode: 'ndjson', path: (run) => `/${run}` },
        stop: () => child.stop(),
      };
    },
  };
}

/** A server of this folder, on the project's Node. */
export const script = (name: string, file: string): Contender =>
  program(name, 'nothing', () => [process.execPath, join(import.meta.dirname, file)]);
