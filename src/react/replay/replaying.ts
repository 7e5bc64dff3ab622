import { createElement, type ReactElement, type ReactNode } from 'react';
import { Shown } from '../run-source.ts';
import type { ReplayResult } from './use-replay.ts';

const NOTHING = {};

export interface ReplayingProps {
  /** What `useReplay` gave. `undefined`: the run as it is now, for a page that replays later without mounting its parts anew. */
  readonly of: Pick<ReplayResult, 'shown'> | undefined;
  readonly children?: ReactNode;
}

/**
 * Below it, all hooks and parts of that run show the moment at which the replay stands, with the same components that show
 * it live. Nothing can be asked of a moment of the past: commands and answers are off, and no clock ticks. Other runs are
 * shown as ever.
 *
 * @example
 * <Replaying of={replay}><Plan.Root runId={runId} /></Replaying>
 */
export const Replaying = ({ of, children }: ReplayingProps): ReactElement =>
  createElement(Shown.Provider, { value: of?.shown ?? NOTHING }, children);
