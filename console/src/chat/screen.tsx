import './screen.css';
import { getRouteApi, Link } from '@tanstack/react-router';
import { memo, type ReactElement, useEffect, useMemo, useRef } from 'react';
import { TelltaleProvider } from 'telltale/react';
import { visible } from 'telltale/react/parts';
import { clientFor } from '../session/client.ts';
import { useSession } from '../session/session.ts';
import { useShortcuts } from '../shell/shortcuts.ts';
import { useTitle } from '../ui/title.ts';
import { TroublePanel } from '../ui/trouble.tsx';
import { Composer } from './composer.tsx';
import { Connection } from './connection.tsx';
import { useBeginning, useFirst, useLast, useOpen, useQuestions } from './conversation.ts';
import { Faults } from './faults.tsx';
import { Flyout } from './flyout.tsx';
import { useFlyoutChoice } from './flyout-choice.ts';
import { useFollowing } from './follow.ts';
import { LogClockOf } from './log-clock.tsx';
import { Milestones } from './milestones.tsx';
import { Recent } from './recent.tsx';
import { questionText } from './turn.ts';
import { TurnView } from './turn-view.tsx';
import { Weather } from './weather.ts';

const route = getRouteApi('/chat/$threadId');

/** A conversation: a thread, of which every question is a run. It has connections of its own, to be broken for trial. */
export function ChatScreen(): ReactElement {
  const { threadId } = route.useParams();
  const { visit } = useSession();
  // biome-ignore lint/correctness/useExhaustiveDependencies: a client is for one caller.
  const { client, weather } = useMemo(() => {
    const weather = new Weather();
    return { weather, client: clientFor({ fetch: weather.fetch, tabs: '' }) };
  }, [visit]);
  return (
    <TelltaleProvider client={client}>
      <Talk key={threadId} threadId={threadId} weather={weather} />
    </TelltaleProvider>
  );
}

function Talk({ threadId, weather }: { threadId: string; weather: Weather }): ReactElement {
  const { thinking, toggle, close } = useFlyoutChoice();
  const { isNew, isClosed, trouble, reconnect } = useBeginning(threadId);
  const [first, last, open] = [useFirst(threadId), useLast(threadId), useOpen(threadId)];
  const { viewport, content, isFollowing, toEnd } = useFollowing();
  const input = useRef<HTMLTextAreaElement>(null);
  useTitle((first && visible(questionText(first.input).slice(0, 60))) || 'Chat');

  const focus = (): void => input.current?.focus();
  useShortcuts('Chat', [
    { keys: '/', label: 'Write a question', run: focus },
    { keys: 'c', label: 'Write a question', run: focus },
    {
      keys: 't',
      label: 'What was done for the last answer',
      run: () => last && toggle(last.runId),
    },
    { keys: 'Escape', label: 'Close what was done', run: close },
  ]);
  useEffect(() => {
    if (isNew) input.current?.focus();
  }, [isNew]);

  return (
    <LogClockOf threadId={threadId}>
      <div className="chat" data-flyout={thinking === undefined ? undefined : 'open'}>
        <div className="chat-main">
          <header className="chat-header">
            <h1>Conversation</h1>
            <Connection threadId={threadId} isBusy={open !== undefined} />
            <Link to="/chat" className="chat-new">
              New conversation
            </Link>
          </header>
          <div className="chat-scroll">
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by key (WCAG 2.1.1). */}
            <section ref={viewport} className="chat-viewport" aria-label="Questions and answers" tabIndex={0}>
              {trouble && <TroublePanel error={trouble} retry={reconnect} />}
              {isNew && (
                <div className="chat-beginning">
                  <p>
                    Ask an agent of this server something. The conversation is at this address: opened in another tab or
                    on another device it goes on there, live.
                  </p>
                  <Recent />
                </div>
              )}
              <ol ref={content} className="chat-turns">
                <Turns threadId={threadId} thinking={thinking} onToggle={toggle} />
              </ol>
            </section>
            {!isFollowing && (
              <button type="button" className="chat-to-end" onClick={toEnd}>
                {open ? 'New answer ↓' : 'To the end ↓'}
              </button>
            )}
          </div>
          <Composer
            threadId={threadId}
            lastAgent={last?.agent}
            isBusy={open !== undefined}
            input={input}
            onAsked={() => {
              if (isClosed) reconnect();
              toEnd();
            }}
            onEscape={close}
          />
          <Faults weather={weather} threadId={threadId} />
        </div>
        {thinking !== undefined && <Flyout key={thinking} runId={thinking} onClose={close} />}
        <Milestones threadId={threadId} />
      </div>
    </LogClockOf>
  );
}

interface TurnsProps {
  readonly threadId: string;
  readonly thinking: string | undefined;
  readonly onToggle: (runId: string) => void;
}

/** The only one that renders with what is streamed. */
const Turns = memo(({ threadId, thinking, onToggle }: TurnsProps): ReactElement[] =>
  useQuestions(threadId).map((run) => (
    <TurnView key={run.runId} run={run} isOpen={thinking === run.runId} onToggle={onToggle} />
  )),
);
