/** A place where a text was found. */
export interface Match {
  /** The row that shows it: `reveal` leads there. */
  readonly rowKey: string;
  /** The number of the event with which the row began; of an error, that of the error. */
  readonly seq: number;
  readonly where: 'name' | 'text' | 'args' | 'result' | 'error';
}

export interface Found {
  /** In the order of the log. One that is there stays, and more may come, while the run goes on. */
  readonly matches: readonly Match[];
  /** Not all is looked through yet. */
  readonly isSearching: boolean;
}
