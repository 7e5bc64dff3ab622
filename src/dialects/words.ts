import {
  byeFrame,
  caughtUpFrame,
  epochOf,
  formatCursor,
  helloFrame,
  progressFrame,
  type RevokedReason,
  resetFrame,
  revokedFrame,
  writeComment,
} from '../protocol/index.ts';
import type { Dialect, SpokenStream, StreamWords } from './dialect.ts';
import { formatRunCursor } from './run-cursor.ts';
import type { Said } from './said.ts';

/** How a stream of this dialect speaks of itself. */
export function wordsOf(dialect: Dialect, stream: SpokenStream): StreamWords {
  if (dialect.words) return dialect.words(stream);
  return stream.name === undefined ? OWN : ownWords(stream.name);
}

/** The `stream.*` frames (PROTOCOL.md section 6). */
const ownWords = (name?: string): StreamWords => ({
  hello: helloFrame,
  reset: (reset, after, head) => resetFrame(reset, after, head, name),
  progress: (epoch, seq) => progressFrame(epoch, seq, name),
  caughtUp: (seq) => caughtUpFrame(seq, name),
  bye: byeFrame,
  revoked: revokedFrame,
  heartbeat: ({ latest }) => writeComment(`heartbeat ${latest}`),
});

const OWN = ownWords();

/**
 * What another system's clients are told of their stream. What is absent they are not told: a heartbeat is then a
 * comment. A reset has to be told by all, since everything follows again.
 */
export interface ForeignWords {
  hello?(stream: SpokenStream): readonly Said[];
  reset(stream: SpokenStream, reason: string): readonly Said[];
  /** The cursor moved over events that the client is not told of: where it can begin without history, it needs an id. */
  progress?(stream: SpokenStream): readonly Said[];
  /** The run was deleted while its stream was open: what was received of it is void. The connection closes. */
  deleted?(stream: SpokenStream): readonly Said[];
  /** Access has ended: `revoked` for good, `expired` for this credential. The connection closes; who comes back is refused. */
  revoked?(stream: SpokenStream, reason: RevokedReason): readonly Said[];
  /** Nothing at a beat that is only a comment: `count % 2` halves their number. */
  heartbeat?(stream: SpokenStream, beat: { readonly count: number; readonly time: string }): readonly Said[];
}

/** `write` makes a frame; `names`: whether ids name their run. */
export function foreignWords(
  words: ForeignWords,
  stream: SpokenStream,
  write: (said: Said, id?: string) => string,
  names: boolean,
): StreamWords {
  const frames = (said: readonly Said[] = [], id?: string) => said.map((it) => write(it, id)).join('');
  const idOf = (cursor: string) =>
    names && stream.runId !== undefined ? formatRunCursor(stream.runId, cursor) : cursor;
  return {
    hello: () => frames(words.hello?.(stream)),
    reset: (reset, after, head) =>
      frames(words.reset(stream, reset.reason), idOf(formatCursor(epochOf(head, after), after))),
    progress: (epoch, seq) => frames(words.progress?.(stream), idOf(formatCursor(epoch, seq))),
    caughtUp: () => '',
    bye: (reason) => (reason === 'deleted' ? frames(words.deleted?.(stream)) : ''),
    revoked: (reason) => frames(words.revoked?.(stream, reason)),
    heartbeat: (beat) => frames(words.heartbeat?.(stream, beat)) || writeComment('heartbeat'),
  };
}
