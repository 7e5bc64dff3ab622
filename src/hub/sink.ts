/** Where a viewer's bytes go: one open response of whatever host. */
export interface Sink {
  /** True once nothing can be sent any more. */
  readonly closed: boolean;
  /**
   * Called once, before the first write. A sink whose connection takes nothing of what it was given for `stalledMs`
   * closes itself; that is only seen from here.
   */
  open(listener: SinkListener, stalledMs: number): void;
  /** Takes the bytes in any case, and never changes them. False: it has enough; write nothing until it has drained. */
  write(bytes: Uint8Array): boolean;
  /** Closes when everything written has been sent. */
  end(): void;
  /** Closes at once, so that no client can take the stream for a complete one. */
  abort(): void;
}

export interface SinkListener {
  /** The sink takes bytes again, after it had enough. */
  drained(): void;
  /** Once, however it came about. */
  closed(): void;
}
