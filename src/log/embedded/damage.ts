/** What was found to be missing or wrong in a store. Whatever it touched is told to viewers by new epochs. */
export interface Damage {
  /** The file, thread or record it was found in. */
  readonly where: string;
  /** What was found and what was done about it, for people. */
  readonly what: string;
}
