import './more.css';
import { type ReactElement, useId, useRef, useState } from 'react';
import { useRun, useTelltale } from 'telltale/react';
import { visible } from 'telltale/react/parts';
import { count } from '../../ui/format.ts';
import { useLook } from '../look.ts';
import { asMarkdown, tokensOf } from './as-markdown.ts';
import { asReport } from './as-report.ts';
import { eventsFile, save } from './download.ts';

/** What a run can be taken away as. */
export function More({ runId }: { readonly runId: string }): ReactElement {
  const client = useTelltale();
  const events = useRun(runId, { select: ({ data }) => data?.events ?? 0 });
  const { event } = useLook();
  const [told, tell] = useState('');
  const menu = useRef<HTMLDivElement>(null);
  const downloading = useRef<AbortController>(undefined);
  const [isDownloading, setDownloading] = useState(false);
  const id = useId();
  const snapshot = () => client.run(runId).getSnapshot().data;

  const doing = async (what: () => Promise<string>): Promise<void> => {
    menu.current?.hidePopover();
    try {
      tell(await what());
    } catch (error) {
      tell(error instanceof Error ? visible(error.message) : String(error));
    }
  };
  const copy = (make: () => string | Promise<string>, done: (text: string) => string) => () =>
    doing(async () => {
      const text = await make();
      await navigator.clipboard.writeText(text);
      return done(text);
    });
  const known = <T,>(use: (data: NonNullable<ReturnType<typeof snapshot>>) => T): T => {
    const data = snapshot();
    if (!data) throw new Error('Nothing is known of this run yet.');
    return use(data);
  };
  const download = () =>
    doing(async () => {
      const abort = new AbortController();
      downloading.current = abort;
      setDownloading(true);
      try {
        const file = await eventsFile(
          client.run(runId),
          (written) => tell(`Reading: ${count(written)} of ${count(events)} events`),
          abort.signal,
        );
        save(`${runId}.ndjson`, file);
        return 'The events are in your downloads.';
      } catch (error) {
        if (abort.signal.aborted) return 'The download was stopped.';
        throw error;
      } finally {
        setDownloading(false);
      }
    });
  const items: readonly (readonly [string, () => Promise<void>])[] = [
    [
      event === undefined ? 'Copy link to this run' : 'Copy link to this event',
      copy(
        () => location.href,
        () => 'The link is copied.',
      ),
    ],
    [
      'Copy as Markdown',
      copy(
        () => known(asMarkdown),
        (text) => `Copied: about ${count(tokensOf(text))} tokens (an estimate, 4 characters each).`,
      ),
    ],
    [
      'Copy for a bug report',
      copy(
        () => known((data) => asReport(client, data, event)),
        () => 'Copied, without values whose names look secret. Read it before you send it.',
      ),
    ],
    ['Download the events (NDJSON)', download],
    [
      'Download the run as JSON',
      () =>
        doing(async () => {
          known((data) =>
            save(`${runId}.json`, new Blob([JSON.stringify(data, null, 2)], { type: 'application/json' })),
          );
          return 'The run is in your downloads.';
        }),
    ],
  ];
  return (
    <>
      <button type="button" popoverTarget={id} aria-label="Copy and download">
        ⋯
      </button>
      <div ref={menu} id={id} popover="auto" className="more">
        {items.map(([name, run]) => (
          <button key={name} type="button" className="quiet" onClick={run}>
            {name}
          </button>
        ))}
      </div>
      <span role="status" className="more-told">
        {told}
        {isDownloading && (
          <button type="button" onClick={() => downloading.current?.abort()}>
            Stop
          </button>
        )}
      </span>
    </>
  );
}
