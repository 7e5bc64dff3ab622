import type { Contender } from './contender.ts';
import { hasNchan, nchan } from './nchan.ts';
import { program, script } from './program.ts';
import { telltale } from './telltale.ts';

export type { Contender, Server, ViewOptions } from './contender.ts';
export { nchanVersion } from './nchan.ts';
export { type Guard, startTelltale, telltale } from './telltale.ts';

/** What every ratio is told against. */
export const BASELINE = 'res.write';

/** No contender but a limit: what the machine and the load programs can do. */
export const floor: Contender = program('C floor', 'memory', (compiled) => [compiled('floor')]);

export function contenders(): readonly Contender[] {
  return [
    telltale('telltale memory', 'memory'),
    telltale('telltale disk', 'disk'),
    script(BASELINE, 'plain-server.ts'),
    script('better-sse', 'better-sse-server.ts'),
    ...(hasNchan() ? [nchan] : []),
  ];
}
