import type {
  AgentSpan,
  Approval,
  Command,
  MessageSpan,
  RunSnapshot,
  StepSpan,
  TextSpan,
  ToolSpan,
} from '../protocol/index.ts';

/** Calls of one tool by one agent, one after the other, all of which succeeded. */
export interface CallGroup {
  /** The tool's. */
  readonly name: string;
  readonly agentId?: string;
  readonly status: 'completed';
  readonly count: number;
  /** Milliseconds of all calls together; absent where one is not known. */
  readonly durationMs?: number;
  /** The numbers with which the first and the last of them began. */
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/** What a row shows, told apart by `kind`. */
type Shown =
  | { readonly kind: 'agent'; readonly item: AgentSpan }
  | { readonly kind: 'step'; readonly item: StepSpan }
  | { readonly kind: 'thinking'; readonly item: TextSpan }
  | { readonly kind: 'message'; readonly item: MessageSpan }
  | { readonly kind: 'tool'; readonly item: ToolSpan }
  | { readonly kind: 'group'; readonly item: CallGroup }
  | { readonly kind: 'activity'; readonly item: RunSnapshot['activities'][number] }
  | { readonly kind: 'approval'; readonly item: Approval }
  | { readonly kind: 'command'; readonly item: Command }
  | { readonly kind: 'error'; readonly item: RunSnapshot['errors'][number] };

/** One row. The same object as long as it shows the same, so that a memoised component renders only when it changes. */
export type TimelineRow = Shown & {
  /** Stable: for React's `key`, a virtualiser, and the reader's choices. */
  readonly key: string;
  /** How deep it is nested in agents and groups; 0 is the run itself. */
  readonly depth: number;
  /** The number of the event with which it began. */
  readonly seq: number;
  /** An agent and a group show the rows below them; anything else its details. */
  readonly isOpen: boolean;
};

/** A row, and which rows have to be opened for it to be seen. */
export interface RowPath {
  readonly key: string;
  readonly closed: readonly string[];
}

export type RowKind = TimelineRow['kind'];

/** What the reader opened and closed by hand, by row key. It counts more than what a row does by itself. */
export type Choices = ReadonlyMap<string, boolean>;

/** What entities have in common: when they began, whose they are, and what tells them apart. */
export interface Entity {
  readonly id?: string;
  readonly seq?: number;
  readonly startSeq?: number;
  readonly endSeq?: number;
  readonly agentId?: string;
  readonly parentId?: string;
  readonly toolCallId?: string;
  readonly name?: string;
  readonly status?: string;
  readonly error?: unknown;
  readonly durationMs?: number;
  readonly startedAt?: string;
  readonly endedAt?: string;
}

/** Where it began; `undefined` for a step that is only planned: it has no place yet. */
export const seqOf = ({ startSeq, seq }: Entity): number | undefined => startSeq ?? seq;

/**
 * As the fold tells entities apart. Ids are whatever producers send: with the length of the first of them said, no two
 * of them join to the same key.
 */
export const keyOf = (kind: RowKind, { agentId = '', id, ...item }: Entity): string =>
  `${kind}:${agentId.length}:${agentId}${id ?? seqOf(item)}`;

/** The key of the group that begins with a call. */
export const groupKeyOf = (call: string): string => `${GROUP}${call}`;
export const GROUP = 'group:';

/** Thinking is open while it lasts; a tool that failed shows why. Nothing that went wrong is folded away. */
export const isOpenByItself = (kind: RowKind, { status }: Entity): boolean =>
  kind === 'thinking' ? status === 'running' : kind !== 'tool' || status === 'failed' || status === 'denied';
