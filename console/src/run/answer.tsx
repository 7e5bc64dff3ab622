import './answer.css';
import { type ReactElement, useState } from 'react';
import { Answer as Part } from 'telltale/react/parts';
import { Copy } from '../ui/copy.tsx';
import { Markdown } from '../ui/markdown.tsx';

/** An answer up to here is shown whole. */
const SHORT_CHARACTERS = 700;
const SHORT_LINES = 9;

/** What the run answers, while it does. A long answer is a window: on its end while it grows, on its beginning later. */
export function Answer({ runId }: { readonly runId: string }): ReactElement {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <Part.Root
      runId={runId}
      className="answer"
      render={({ children: _, ref: __, ...section }, { text, status }) => {
        const isLong = text.length > SHORT_CHARACTERS || text.split('\n', SHORT_LINES + 1).length > SHORT_LINES;
        return (
          <section {...section} data-size={!isLong ? 'short' : isOpen ? 'open' : 'closed'}>
            <header>
              <h2>Answer</h2>
              <span className="muted">{WORDS[status]}</span>
              {isLong && (
                <button type="button" className="quiet" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
                  {isOpen ? 'Show less' : 'Show all'}
                </button>
              )}
              <Copy text={text}>Copy</Copy>
            </header>
            {/* What scrolls is reached by the keyboard (WCAG 2.2, 2.1.1). */}
            <section className="answer-window" tabIndex={isLong ? 0 : undefined} aria-label="Text of the answer">
              <Markdown text={text} />
            </section>
          </section>
        );
      }}
    />
  );
}

const WORDS = { running: 'writing…', completed: '', failed: 'failed', interrupted: 'cut short by the end of the run' };
