'use client';

export type { Change, Mark, MarkKind, Stretch } from '../../client/replay/index.ts';
export { changeLine } from './change-line.ts';
export { Replaying, type ReplayingProps } from './replaying.ts';
export { type ReplayOptions, type ReplayResult, useReplay } from './use-replay.ts';
