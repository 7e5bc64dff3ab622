import type { Contender } from '../contenders/index.ts';
import type { Load } from '../measure/load.ts';

/** What a scenario is given. */
export interface Bench {
  readonly load: Load;
  readonly contenders: readonly Contender[];
  readonly reps: number;
  /** Of one measured window. */
  readonly seconds: number;
  /** A smoke test: a small part of the load, whose figures mean nothing. */
  readonly quick: boolean;
  /** Says what is being measured, where nobody parses it. */
  readonly say: (text: string) => void;
}

/** What it found: tables for people, everything else for the JSON file. */
export interface Findings {
  readonly title: string;
  readonly tables: readonly Table[];
  readonly notes: readonly string[];
  readonly outcomes: readonly object[];
  /** What had to hold and did not. */
  readonly missed?: readonly string[];
}

export interface Table {
  readonly caption?: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export type Scenario = (bench: Bench) => Promise<Findings>;
