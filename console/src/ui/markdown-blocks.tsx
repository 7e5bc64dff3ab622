import { memo, type ReactElement, type ReactNode } from 'react';
import Markdown, { type Components } from 'react-markdown';
import remarkGfm from 'remark-gfm';
import { visible } from 'telltale/react/parts';
import { blocksOf } from './blocks-of.ts';

/** Parsing of a block takes time that can grow with the square of its length: a longer one stays a text. */
const MAX_BLOCK = 20_000;
const PROTOCOLS: ReadonlySet<string> = new Set(['http:', 'https:', 'mailto:']);

/** The address, if it leads somewhere that a page of strangers may lead to. */
function addressOf(url: string): string {
  try {
    // Without a base: a relative address would be one of the console's own.
    return PROTOCOLS.has(new URL(url).protocol) ? url : '';
  } catch {
    return '';
  }
}

/** Opens apart, and tells nobody where the reader came from. The address stands there on hover. */
function Away({ href, children }: { readonly href?: string | undefined; readonly children?: ReactNode }): ReactElement {
  return href ? (
    <a href={href} title={visible(href)} target="_blank" rel="noreferrer">
      {children}
    </a>
  ) : (
    <span className="md-nowhere" title="This link leads nowhere safe">
      {children}
    </span>
  );
}

const COMPONENTS: Components = {
  a: ({ href, children }) => <Away href={href}>{children}</Away>,
  // An image that is loaded tells its server who reads, and with its address what an agent was made to write there.
  img: ({ src, alt }) => (
    <Away href={typeof src === 'string' ? src : undefined}>image: {visible(alt ?? '') || 'without a text'}</Away>
  ),
  table: ({ children }) => (
    <div className="md-wide">
      <table>{children}</table>
    </div>
  ),
  // The headings of the page are its own.
  h1: ({ children }) => <h3>{children}</h3>,
  h2: ({ children }) => <h3>{children}</h3>,
  h3: ({ children }) => <h4>{children}</h4>,
  h4: ({ children }) => <h5>{children}</h5>,
  h5: ({ children }) => <h6>{children}</h6>,
};
const PLUGINS = [remarkGfm];
/** Entities (`&#x202E;`, `&shy;`) hide characters until they are parsed. */
const AFTER = [() => showHidden];

interface Node {
  value?: unknown;
  readonly children?: readonly Node[];
}

function showHidden(node: Node): void {
  if (typeof node.value === 'string') node.value = visible(node.value, true);
  for (const child of node.children ?? []) showHidden(child);
}

const Block = memo(({ text }: { readonly text: string }): ReactElement => {
  const shown = visible(text, true);
  if (text.length > MAX_BLOCK) return <p className="plain-text">{shown}</p>;
  return (
    <Markdown remarkPlugins={PLUGINS} rehypePlugins={AFTER} components={COMPONENTS} urlTransform={addressOf}>
      {shown}
    </Markdown>
  );
});

export default function Blocks({ text }: { readonly text: string }): ReactElement {
  return (
    <div className="markdown" dir="auto">
      {blocksOf(text).map((block, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a text grows at its end; its blocks have no other name.
        <Block key={i} text={block} />
      ))}
    </div>
  );
}
