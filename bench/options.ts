import { parseArgs } from 'node:util';
import { auth } from './scenarios/auth.ts';
import { client } from './scenarios/client.ts';
import { console } from './scenarios/console.ts';
import { hot } from './scenarios/hot.ts';
import { idle } from './scenarios/idle.ts';
import { many } from './scenarios/many.ts';
import { profile } from './scenarios/profile.ts';
import { replay } from './scenarios/replay.ts';
import { saturation } from './scenarios/saturation.ts';
import type { Scenario } from './scenarios/scenario.ts';

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  hot,
  saturation,
  many,
  replay,
  idle,
  client,
  console,
  auth,
  profile,
};
/** What runs when none is named: everything that compares. */
const COMPARING = ['hot', 'saturation', 'many', 'replay', 'idle'];

export const HELP = `npm run bench -- [scenario …] [--seconds <n>] [--reps <n>] [--only <contender>]… [--quick] [--json <file>]

Measures Telltale beside other ways to send events to viewers, on this machine. About ten minutes.

  scenario    ${Object.keys(SCENARIOS).join(', ')}; by default all but client, console, auth and profile
  --seconds   of each measured window (3)
  --reps      how often each contender is measured (3); tables show the median, and the extremes in brackets
  --only      only these contenders, by their name in the tables
  --quick     a smoke test of everything in two minutes; its figures mean nothing
  --json      writes every repetition to a file
`;

export interface Options {
  readonly scenarios: readonly string[];
  readonly seconds: number;
  readonly reps: number;
  readonly only: readonly string[];
  readonly quick: boolean;
  readonly json: string | undefined;
  readonly help: boolean;
}

/** @throws Error that says what is wrong with the arguments. */
export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      seconds: { type: 'string' },
      reps: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const unknown = positionals.find((it) => !Object.hasOwn(SCENARIOS, it));
  if (unknown !== undefined) throw new Error(`There is no scenario ${unknown}: ${Object.keys(SCENARIOS).join(', ')}.`);
  const { quick, only, json, help } = values;
  return {
    scenarios: positionals.length > 0 ? positionals : COMPARING,
    seconds: positive('--seconds', values.seconds ?? (quick ? '1' : '3')),
    reps: Math.ceil(positive('--reps', values.reps ?? (quick ? '1' : '3'))),
    quick,
    only,
    json,
    help,
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 3_600) return value;
  throw new Error(`${name} ${text} is no number between 0 and 3,600.`);
}
