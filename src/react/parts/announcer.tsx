'use client';

import { type CSSProperties, createContext, useState } from 'react';
import { type OfRun, type PartProps, rootOf, type Shown } from './element.ts';
import { later } from './later.ts';
import type { News } from './news.ts';

/** Whoever has nothing to see hears nothing in the first moment: what is said, and when, comes meanwhile. */
const useSpeaker = later(() => import('./speaker.ts'));

/** Not seen, still read: `display: none` is not. */
const UNSEEN: CSSProperties = {
  position: 'absolute',
  width: 1,
  height: 1,
  overflow: 'hidden',
  clipPath: 'inset(50%)',
  whiteSpace: 'nowrap',
};

const Told = createContext<Shown<{ readonly text: string }> | undefined>(undefined);

export type AnnouncerProps = PartProps<'div', { readonly text: string }> & OfRun;

/**
 * Tells a screen reader what changes in a run: a sentence per change, at most one in five seconds, and never what is
 * streamed. Put one on a page; the other parts are silent. Of changes that follow each other faster the last is told.
 *
 * @example
 * <Announcer runId={runId} />
 */
export const Announcer = rootOf(Told, 'div', 'announcer', (props: AnnouncerProps) => {
  const [news, tell] = useState<News>();
  const speaker = useSpeaker();
  const { runId, from, initialSnapshot } = props;
  const say = (isUrgent: boolean): string => (news?.isUrgent === isUrgent ? news.text : '');
  const children = (
    <>
      <div role="status">{say(false)}</div>
      <div role="alert">{say(true)}</div>
    </>
  );
  return {
    state: { text: news?.text ?? '' },
    own: { style: UNSEEN, children },
    beside: speaker && <speaker.Speaker {...{ runId, from, initialSnapshot, tell }} />,
  };
});
