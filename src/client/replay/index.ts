export type { Change } from './changes.ts';
export type { Mark, MarkKind } from './marks.ts';
export { Playback, type PlaybackControls, type PlaybackView } from './playback.ts';
export { Replay, type Replayed, type ReplayView, type Stretch } from './replay.ts';
