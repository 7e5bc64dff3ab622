import './markdown.css';
import { lazy, type ReactElement, Suspense } from 'react';
import { visible } from 'telltale/react/parts';

/** A text as it is: line breaks kept, characters that nobody sees written out. */
export function PlainText({ text }: { readonly text: string }): ReactElement {
  return (
    <div className="plain-text" dir="auto">
      {visible(text, true)}
    </div>
  );
}

/** 50 KB, compressed, that most pages do not need. A text that cannot be laid out is still a text. */
const Blocks = lazy(() => import('./markdown-blocks.tsx').catch(() => ({ default: PlainText })));

/**
 * Markdown of an agent, which may be written by whoever the agent read: no HTML, no images, links to the web and to mail
 * alone. While it grows only its last block is laid out again.
 *
 * @example
 * <Answer.Text render={({ children: _, style: __, ...props }, { text }) => <div {...props}><Markdown text={text} /></div>} />
 */
export function Markdown({ text }: { readonly text: string }): ReactElement {
  return (
    <Suspense fallback={<PlainText text={text} />}>
      <Blocks text={text} />
    </Suspense>
  );
}
