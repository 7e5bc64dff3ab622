/**
 * The published limits (PROTOCOL.md section 9). Bytes are UTF-8 bytes.
 * A server may set lower or higher ones; these are what a server without settings enforces.
 */
export const LIMITS = {
  /** One event, as its stored JSON. */
  eventBytes: 256 * 1024,
  /** The body of one append. */
  batchBytes: 1024 * 1024,
  batchEvents: 1000,
  /** Nesting of objects and arrays in `data`, the outermost counted as 1. */
  jsonDepth: 64,
  runEvents: 1_000_000,
} as const;

export type Limits = { readonly [K in keyof typeof LIMITS]: number };

/** Part of a limit at which a run is warned, once, by `error.reported {code: "run_nearly_full"}`. */
export const WARN_AT = 0.8;

/** Milliseconds between heartbeat comments on an open stream. Proxies cut at 30 s of silence and more. */
export const HEARTBEAT_MS = 15_000;
/** A committed event reaches a viewer that keeps up within this many milliseconds, even if every wake-up is lost. */
export const LATENESS_MS = 2_000;
/** A viewer whose socket takes nothing for this many milliseconds is cut; it resumes by cursor. */
export const STALLED_MS = 30_000;
/** How long an executor's lease lasts without an append or a renewal. */
export const LEASE_MS = 15_000;
/** What a remote producer may ask for as the lease of its run. */
export const LEASE_SECONDS = { least: 5, most: 3600 } as const;
/** How long a run may be given. */
export const TIMEOUT_SECONDS = { least: 1, most: 86_400 } as const;
