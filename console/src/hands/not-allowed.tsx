import type { ReactElement } from 'react';
import type { TelltaleError } from 'telltale/protocol';

interface NotAllowedProps {
  readonly errors: readonly (TelltaleError | undefined)[];
  /** What it does not allow: "answer it". */
  readonly to: string;
}

/** What a key that may watch only cannot do, and what to do about it. Nothing where the server allowed it. */
export function NotAllowed({ errors, to }: NotAllowedProps): ReactElement | null {
  const error = errors.find((it) => it?.code === 'forbidden');
  if (!error) return null;
  const { scope } = error.particulars;
  return (
    <p className="not-allowed" role="alert">
      You may watch this run, and not {to}
      {typeof scope === 'string' && (
        <>
          : the key you signed in with lacks the scope <code>{scope}</code>
        </>
      )}
      . Sign out, and in with another one.
    </p>
  );
}
