import './detail.css';
import { type ReactElement, type ReactNode, useMemo } from 'react';
import { useRun } from 'telltale/react';
import { Glyph, visible } from 'telltale/react/parts';
import { useShortcuts } from '../shell/shortcuts.ts';
import { RawEvent, useEvent } from './event.tsx';
import { Initials } from './initials.tsx';
import { useLook } from './look.ts';
import { useScene } from './scene.ts';
import { outlineOf, type Subject, subjectAt } from './subject.ts';
import { SubjectBody } from './subject-body.tsx';
import { tookOf, tookWords } from './took.ts';
import { sinceStart } from './when.tsx';

/** All that is known of what an event is about, and the event itself. */
export function Detail({ runId, seq }: { readonly runId: string; readonly seq: number }): ReactElement {
  const { look } = useLook();
  const close = (): void => look({ event: undefined });
  useShortcuts('Details', [{ keys: 'Escape', label: 'Close the details', run: close }]);
  const subject = useSubject(runId, seq);
  return (
    <aside className="detail" aria-label="Details">
      <header>
        <h2>{subject ? <Title subject={subject} /> : `Event ${seq}`}</h2>
        <button type="button" className="quiet" onClick={close} title="Escape">
          <span aria-hidden="true">✕</span>
          <span className="sr-only">Close the details</span>
        </button>
      </header>
      {subject && <About subject={subject} />}
      {subject && <SubjectBody runId={runId} subject={subject} />}
      <RawEvent runId={runId} seq={seq} isAlone={subject === undefined} />
    </aside>
  );
}

/** What the event is about, as it is now. The event itself is asked for only where its number alone does not tell. */
function useSubject(runId: string, seq: number): Subject | undefined {
  const find = useMemo(() => subjectAt(seq), [seq]);
  const byNumber = useRun(runId, { select: ({ data }) => data && find(data) });
  const { data: event } = useEvent(runId, byNumber ? undefined : seq);
  const byIds = useRun(runId, { select: ({ data }) => data && find(data, event ?? undefined) });
  return byNumber ?? byIds;
}

const KINDS: Readonly<Record<string, string>> = {
  agent: 'Agent',
  step: 'Step',
  thinking: 'Thinking',
  message: 'Message',
  tool: 'Call',
  approval: 'Question',
  activity: 'Activity',
  command: 'Command',
  error: 'Error',
};

function Title({ subject }: { readonly subject: Subject }): ReactElement {
  const { name } = outlineOf(subject);
  return (
    <>
      <span className="muted">{KINDS[subject.kind]}</span> {name !== undefined && <bdi>{visible(name)}</bdi>}
    </>
  );
}

/** How it stands, whose it is, when it was, and its events. */
function About({ subject }: { readonly subject: Subject }): ReactElement {
  const { agents, startedAt } = useScene();
  const outline = outlineOf(subject);
  const { status, askedAt, startedAt: began = askedAt, seq, startSeq: first = seq, endSeq: last } = outline;
  const agent = agents.get(outline.agentId ?? '');
  const took = tookOf(outline);
  return (
    <dl className="detail-about">
      {status !== undefined && (
        <Fact name="State">
          <Glyph status={status} /> {visible(status)}
          {took !== undefined && ` · ${tookWords(took)}`}
        </Fact>
      )}
      {agent && (
        <Fact name="Agent">
          <Initials name={agent.name} /> <bdi>{visible(agent.name)}</bdi>
        </Fact>
      )}
      {began !== undefined && (
        <Fact name="Began">
          <time dateTime={began} title={began}>
            {startedAt === undefined ? began : sinceStart(Date.parse(began) - startedAt)} after the start
          </time>
        </Fact>
      )}
      {first !== undefined && (
        <Fact name="Events">
          <EventLink seq={first} />
          {last !== undefined && last !== first && (
            <>
              {' to '}
              <EventLink seq={last} />
            </>
          )}
        </Fact>
      )}
    </dl>
  );
}

const Fact = ({ name, children }: { readonly name: string; readonly children: ReactNode }): ReactElement => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

function EventLink({ seq }: { readonly seq: number }): ReactElement {
  const { open } = useScene();
  return (
    <button type="button" className="link" onClick={() => open(seq)}>
      {seq}
    </button>
  );
}
