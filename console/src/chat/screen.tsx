import { useParams } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { useTitle } from '../ui/title.ts';

/** A conversation: a thread, of which every question is a run. */
export function ChatScreen(): ReactElement {
  const { threadId } = useParams({ strict: false });
  useTitle('Chat');
  return <h1>Chat {threadId}</h1>;
}
