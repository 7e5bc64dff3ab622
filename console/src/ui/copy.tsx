import { type ReactElement, type ReactNode, useEffect, useState } from 'react';

const TOLD_MS = 2_000;

/** Copies a text, and says that it did. `text` is asked for when it is needed. */
export function Copy({
  text,
  children = 'Copy',
}: {
  text: string | (() => string | Promise<string>);
  children?: ReactNode;
}): ReactElement {
  const [told, tell] = useState<string>();
  useEffect(() => {
    if (told === undefined) return;
    const timer = setTimeout(() => tell(undefined), TOLD_MS);
    return () => clearTimeout(timer);
  }, [told]);
  const copy = async (): Promise<void> => {
    try {
      // Browsers have a clipboard on https: and on localhost only.
      await navigator.clipboard.writeText(typeof text === 'string' ? text : await text());
      tell('Copied');
    } catch {
      tell('The browser did not allow it');
    }
  };
  return (
    <button type="button" className="copy" onClick={copy}>
      {children}
      <span role="status" className={told ? undefined : 'sr-only'}>
        {told && ` · ${told}`}
      </span>
    </button>
  );
}
