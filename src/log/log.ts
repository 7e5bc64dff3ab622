/**
 * The log: what every store promises. One thread, one append-only sequence of events numbered 1, 2, 3 …; a run is a
 * bracketed slice of it. Everything that must be decided once (numbers, opening, closing, fencing, repeats, who was
 * first) is decided in `append`, together with the commit.
 */
import type { Block, EncodedEvent, Head, RunStatus } from '../protocol/index.ts';
import type { OpenApproval } from './approvals.ts';
import type { OpenCommand } from './commands.ts';

/** What an acknowledgement of this deployment means: what the events survive. */
export type Durability = 'memory' | 'process' | 'disk' | 'redis' | 'redis-aof' | `redis-replica(${number})`;

/** One store, opened. */
export interface Log {
  readonly durability: Durability;
  readonly runs: RunIndex;
  readonly leases: Leases;
  readonly retention: Retention;

  /**
   * Appends one batch of one run to a thread, which comes into being with its first batch.
   *
   * - Resolved means durable to `durability`, visible to every later `read`, and numbered `first` to `last` in a row.
   * - All or nothing: rejected with a non-retryable code means nothing was stored. Rejected with a retryable one means
   *   *unknown*: append the same batch again; with a `producer` key that is always safe.
   * - Two appends are stored in the order in which they were called on this Log object.
   *
   * @throws {TelltaleError} see the options for which; `log_unavailable`, `storage_full`, `log_closed` at any time;
   * `overloaded` where too much waits already: then it was not accepted.
   */
  append(threadId: string, batch: readonly EncodedEvent[], options: AppendOptions): Promise<Ack>;

  /**
   * Exactly the events after `after` that the log still holds, oldest first: at least one block where there are any,
   * more up to about `bytes` (256 KiB). The head is taken at the same moment, so no blocks means: `after` is the tail.
   * Numbers whose run was erased are there without bytes (`isVoid`): skip them.
   * Whatever is returned was committed and checked; a damaged event is never returned: the thread then ends before it,
   * and its head has a new epoch that says so.
   * Compare `head` with your own epoch and `head.first` with `after`: a log can be cut at its head while you read.
   *
   * @throws {TelltaleError} `thread_not_found`.
   */
  read(threadId: string, after: number, bytes?: number): Promise<Page>;

  /**
   * Tells of every later commit, in order, after the promise resolved. A wake-up is a hint: it may be late, lost or
   * repeated; only `read` says what is there. To miss nothing: follow first, then read.
   */
  follow(threadId: string, listener: (wake: Wake) => void): Promise<() => void>;

  /** What the thread holds; `undefined` where there is no such thread. */
  head(threadId: string): Promise<Head | undefined>;

  /** Finishes what was accepted and lets go of everything. Appends and reads after it reject with `log_closed`. */
  close(): Promise<void>;
}

/** Whose batch it is, and what has to hold for it to be stored: all of it is decided together with the commit. */
export interface AppendOptions {
  /**
   * The run of all its events. `run_not_found` (404) when it is not in this thread and the batch does not open it;
   * `run_deleted` (410) when it was erased, whatever the batch is.
   */
  readonly runId: string;
  /** This batch opens the run. `run_exists` (409) when there is one of this id, in whatever thread. */
  readonly opens?: RunOpening;
  /**
   * The last event of the batch ends the run. Later appends to it: `run_closed` (409). A terminal event anywhere else,
   * or none where the batch closes, is `invalid_request`.
   */
  readonly closes?: boolean;
  /** The batch starts a run that has waited: `command_refused` (409) where it was asked to cancel before. */
  readonly starts?: boolean;
  /** Makes repeats safe: see `ProducerKey`. */
  readonly producer?: ProducerKey;
  /** The lease under which the caller writes. `lease_fenced` (403) when another holds it; renews it when it is current. */
  readonly fence?: number;
  /**
   * First one wins: `already_decided` (409, with `seq`, the last number of the winner's batch) when this thread has seen
   * the key before, on a closed run as well.
   */
  readonly once?: string;
}

/**
 * (`id`, `epoch`, `seq`) names one append of one producer to one run. `seq` counts 0, 1, 2 … within an epoch.
 * - the same key and `digest` again: the same Ack, `duplicate: true`, nothing stored, however long ago it was;
 * - the same key with another digest: `producer_conflict` (409);
 * - a number too high: `producer_gap` (409, `expected`); a new epoch starts at 0;
 * - an older epoch than one seen before: `producer_fenced` (403, `epoch`).
 */
export interface ProducerKey {
  readonly id: string;
  readonly epoch: number;
  readonly seq: number;
  /** A collision-resistant hash of what the producer sent. */
  readonly digest: string;
}

/** What an append was stored as: its events are numbers `first` to `last` of the thread, under `epoch`. */
export interface Ack {
  readonly epoch: string;
  readonly first: number;
  readonly last: number;
  /** The batch had been stored before. */
  readonly duplicate?: true;
}

/** What a read gives: consecutive blocks, and what the thread held at that moment. */
export interface Page {
  readonly head: Head;
  readonly blocks: readonly Block[];
}

/** Something was committed: up to `last`, under `epoch`, and perhaps the events themselves. Or a run was erased. */
export interface Wake {
  readonly epoch: string;
  readonly last: number;
  readonly block?: Block;
  /** The run whose events are void from now on: let go of what you hold of them. Told before `erase` resolves. */
  readonly erased?: string;
}

/** What is known of a run beside its events. `owner` and `tenant` never enter the events. */
export interface RunOpening {
  readonly agent: string;
  /** Who may see and steer it, and of which tenant that is; each 1 to 256 characters. */
  readonly owner?: string;
  readonly tenant?: string;
  readonly parentRunId?: string;
  /** RFC 3339 as `Date.toISOString` writes it, so that texts order as times do. */
  readonly createdAt: string;
  /** An executor in this process runs it, under fence 1: when that is gone, the run has to be ended (see `Leases`). */
  readonly leased?: boolean;
  /**
   * A remote producer fills it, and has to append at least every so many milliseconds, by the `time` of its events: when
   * it does not, the run has to be ended (see `Leases`). Without it a silent remote run stays open.
   */
  readonly leaseMs?: number;
  /** Of the request that opened it, where that had an Idempotency-Key: a repetition is told from another request by it. */
  readonly requestDigest?: string;
}

/** A run, as derived from its opening and its `run.*` events. Rebuilt from the log where it is lost. */
export interface RunRecord extends RunOpening {
  readonly runId: string;
  readonly threadId: string;
  readonly status: RunStatus;
  /** Number of its first event, and of the terminal one once there is one. */
  readonly first: number;
  readonly last?: number;
  readonly endedAt?: string;
  /** How many events it has. */
  readonly events: number;
  /** `time` of the last event, where the run has `leaseMs`. */
  readonly renewedAt?: string;
  /** Asked for and not yet applied, oldest first, 16 at most: the newest, and a cancel before them; absent where there is none. */
  readonly commands?: readonly OpenCommand[];
  /** Asked and neither answered nor expired, oldest first, the newest 32 at most; absent where there is none. */
  readonly approvals?: readonly OpenApproval[];
  /** Of the current lease: 1 when a leased run is opened, one more each time it is taken over; 0 without a lease. */
  readonly fence: number;
}

/** All that is left of a run that was erased. Its id is never given out again. */
export interface Tombstone {
  readonly runId: string;
  readonly threadId: string;
  /** All its events were within these numbers of the thread. */
  readonly first: number;
  readonly last: number;
  /** RFC 3339. */
  readonly deletedAt: string;
  /** Tells whoever says to have been its owner from others, without a name (`ownerMark`); absent where it had none. */
  readonly ownerMark?: string;
}

/** Finding runs without knowing their threads. Derived from the log, and as new as its latest append. */
export interface RunIndex {
  /**
   * `undefined` where there is no such run. `run_deleted` where it was erased, with the tombstone as the error's cause;
   * lists leave those out.
   */
  get(runId: string): Promise<RunRecord | undefined>;
  /**
   * Newest first: by `createdAt`, then by `runId`. `next` goes into `before` for the page after this one; absent on the
   * last page. `invalid_cursor` for a `before` that no page gave out.
   */
  list(query: RunQuery): Promise<{ readonly runs: readonly RunRecord[]; readonly next?: string }>;
  /**
   * Tells of every run that a later commit has opened, changed or removed, after the promise resolved and after the
   * commit. A hint, as that of `Log.follow`: it may be late, lost or repeated; only `get` and `list` say how a run is now.
   * To miss nothing: follow first, then list.
   */
  follow(listener: (change: RunChange) => void): Promise<() => void>;
}

/** A run is not what it was. `run`: as of that commit, where it is at hand. */
export interface RunChange {
  readonly runId: string;
  readonly run?: RunRecord;
}

/** Which runs to list; every field that is there has to match. */
export interface RunQuery {
  readonly owner?: string;
  /** Empty: only those of no tenant. */
  readonly tenant?: string;
  /** Several: any of them. */
  readonly status?: RunStatus | readonly RunStatus[];
  readonly agent?: string;
  readonly threadId?: string;
  /** RFC 3339, both exclusive. */
  readonly since?: string;
  readonly until?: string;
  /** Opaque, from a page before. */
  readonly before?: string;
  readonly limit: number;
}

/** Leases on runs that an executor or a remote producer holds, so that a run whose process died still ends. */
export interface Leases {
  /** Keeps a lease while nothing is appended. `lease_fenced` when it has passed on, `run_closed` when the run ended. */
  renew(runId: string, fence: number): Promise<void>;
  /**
   * Takes over the leases that ran out: each run is handed to one caller only, with the fence under which that caller
   * must end it. A store owned by one process finds those of executors when it opens, and none later. Those of remote
   * producers ran out when `leaseMs` passed since `renewedAt`; taken over, they last as long again for who took them.
   *
   * @param now milliseconds since 1970, by default of this machine's clock.
   */
  takeExpired(now?: number): Promise<readonly RunRecord[]>;
}

/** Letting go of events: the oldest of a thread, or all of one run. */
export interface Retention {
  /** Forgets the events up to and with `through`, but never the last one. Numbers stay; `head.first` tells. */
  trim(threadId: string, through: number): Promise<void>;
  /**
   * Erases a run that has ended, for good.
   *
   * - Its numbers stay, as a void that every reader skips: the head does not move, the next append gets the next number,
   *   and the events of other runs are, byte for byte, what they were.
   * - Only a tombstone is left (`Tombstone`). Everything that names the run is refused from then on (`run_deleted`).
   *   What was decided once (`AppendOptions.once`) stays decided.
   * - Resolved means: the bytes of its events, the record of the run and the digests of its producers are in no file and
   *   no memory of this store any more, and followers were told. Names in index keys (agent, owner) go from the files
   *   with later writes. What was set aside as damaged whole (`*.damaged`) is the operator's to remove.
   * - Rejected with a retryable code, or cut off by a crash, means *unknown*: the run is either still there, all of it, or
   *   gone, all of it, to every reader. Erase it again, as often as you like: that finishes what was begun.
   *
   * @throws {TelltaleError} `run_not_found`; `run_open` (409) for a run that has not ended; what the disk says.
   */
  erase(runId: string): Promise<void>;
}
