/** What tabs of one origin tell each other. The first group is said by all, the second by the one that leads. */
import type { ServerFrame } from './frames.ts';

/** Of a stream (path and query): `member` is one who follows it, in one tab. */
export type TabMessage =
  | { readonly kind: 'join'; readonly stream: string; readonly member: string; readonly cursor: string | undefined }
  | { readonly kind: 'leave'; readonly stream: string; readonly member: string }
  /** These members are still there, and want to know the same of the leader. */
  | { readonly kind: 'ping'; readonly members: readonly string[] }
  | LeaderMessage;

export type LeaderMessage =
  | { readonly kind: 'pong' }
  /** Another tab leads, or the leader does not know a member that is there: join again. */
  | { readonly kind: 'lead' }
  /** A member has joined; `isOn`: the stream is connected already, and the member was not told of what came before. */
  | { readonly kind: 'joined'; readonly stream: string; readonly member: string; readonly isOn: boolean }
  /** What came behind the cursor `from`; after it, the stream is at `to`. */
  | {
      readonly kind: 'frames';
      readonly stream: string;
      readonly from: string | undefined;
      readonly to: string | undefined;
      readonly frames: readonly ServerFrame[];
    }
  | { readonly kind: 'heartbeat'; readonly stream: string }
  /** `problem`: its code, detail and particulars, as in problem details. */
  | { readonly kind: 'cut'; readonly stream: string; readonly problem: object }
  /** The log has nothing more. */
  | { readonly kind: 'end'; readonly stream: string };

const isText = (value: unknown): value is string => typeof value === 'string';
const isMaybeText = (value: unknown): boolean => value === undefined || isText(value);
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isFrame = (value: unknown): boolean =>
  isObject(value) && isText(value.data) && isMaybeText(value.id) && isMaybeText(value.event);

type Check = (message: Record<string, unknown>) => boolean;
const CHECKS: Readonly<Record<TabMessage['kind'], Check>> = {
  join: ({ stream, member, cursor }) => isText(stream) && isText(member) && isMaybeText(cursor),
  leave: ({ stream, member }) => isText(stream) && isText(member),
  ping: ({ members }) => Array.isArray(members) && members.every(isText),
  pong: () => true,
  lead: () => true,
  joined: ({ stream, member, isOn }) => isText(stream) && isText(member) && typeof isOn === 'boolean',
  frames: ({ stream, from, to, frames }) =>
    isText(stream) && isMaybeText(from) && isMaybeText(to) && Array.isArray(frames) && frames.every(isFrame),
  heartbeat: ({ stream }) => isText(stream),
  cut: ({ stream, problem }) => isText(stream) && isObject(problem),
  end: ({ stream }) => isText(stream),
};

/** Whatever else is said on the channel, by other code of the origin, is not ours. */
export function isTabMessage(value: unknown): value is TabMessage {
  if (!isObject(value) || !isText(value.kind) || !Object.hasOwn(CHECKS, value.kind)) return false;
  return CHECKS[value.kind as TabMessage['kind']](value);
}
